// Constant: a tensor that stands in the model. https://onnx.ai/onnx/operators/onnx__Constant.html. In a typed
// graph it becomes a constant value without a node; the canonical node exists for the few places that need
// one.
#include "ops/core/op_def.h"

namespace tenon::ops {

namespace {

Tensor from_string(const std::string& value) {
  return Tensor::from<std::string>(DataType::kString, {}, {&value, 1});
}

// The one attribute that says what the constant is.
Result<Tensor> value_of(const Attributes& attributes) {
  for (std::string_view name : {"value", "sparse_value"})
    if (const Tensor* value = attributes.tensor(name)) return *value;
  if (attributes.has("value_float")) return Tensor::scalar(attributes.real("value_float"));
  if (attributes.has("value_floats")) return Tensor::from_floats(attributes.reals("value_floats"));
  if (attributes.has("value_int")) return Tensor::scalar(attributes.integer("value_int"));
  if (attributes.has("value_ints")) return Tensor::from_ints(attributes.integers("value_ints"));
  if (attributes.has("value_string")) return from_string(attributes.string("value_string"));
  if (attributes.has("value_strings")) {
    std::vector<std::string> values = attributes.strings("value_strings");
    return Tensor::from<std::string>(DataType::kString, {static_cast<int64_t>(values.size())}, values);
  }
  return fail(ErrorCode::kInvalidModel, "a Constant without a value");
}

Status infer(InferContext& context) {
  Tensor value = TENON_TRY(value_of(context.attributes()));
  context.set_output(0, value.type(), to_sym(value.shape()));
  context.outputs()[0].constant = std::move(value);
  return {};
}

Status reference(KernelContext& context) {
  context.set_output(0, TENON_TRY(value_of(context.attributes())));
  return {};
}

Status upgrade(UpgradeContext& context) {
  Tensor value = TENON_TRY(value_of(context.attributes()));
  GraphValue& output = context.builder().graph().value(context.outputs()[0]);
  output.type = ValueType::tensor(value.type(), to_sym(value.shape()));
  output.constant = std::move(value);
  return {};
}

// All forms but `value` came with 11 and 12.
Status emit(EmitContext& context) {
  return context.finish("Constant", {}, {{"value", TENON_TRY(value_of(context.attributes()))}});
}

}  // namespace

constinit const OpDef kConstant{
    .name = "Constant", .infer = infer, .reference = reference, .upgrade = upgrade, .emit = emit};

}  // namespace tenon::ops
