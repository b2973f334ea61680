// Optional values: made, asked, and opened. https://onnx.ai/onnx/operators/onnx__Optional.html,
// OptionalHasElement, OptionalGetElement.
#include "ops/core/op_def.h"

namespace tenon::ops {

namespace {

Status infer_make(InferContext& context) {
  if (context.has_input(0)) {
    context.set_output(0, ValueType::optional(context.type(0)));
    return {};
  }
  const AttributeValue* type = context.attributes().find("type");
  const ValueType* inner = type != nullptr ? std::get_if<ValueType>(type) : nullptr;
  if (inner == nullptr) return fail(ErrorCode::kInvalidModel, "an Optional without an input needs a type");
  context.set_output(0, ValueType::optional(*inner));
  return {};
}

Status make(KernelContext& context) {
  Optional optional;
  if (context.has_input(0)) optional.value = std::make_shared<Value>(context.value(0));
  context.set_output(0, std::move(optional));
  return {};
}

Status infer_has(InferContext& context) {
  context.set_output(0, DataType::kBool, SymShape{});
  return {};
}

Status has(KernelContext& context) {
  bool present = context.has_input(0);
  if (present && context.value(0).is_optional()) present = context.value(0).optional().value != nullptr;
  if (present && context.value(0).is_tensor()) present = context.input(0).defined();
  *context.output(0, DataType::kBool, {}).mutable_data<uint8_t>() = present;
  return {};
}

Status infer_get(InferContext& context) {
  const ValueType& type = context.type(0);
  if (type.kind != ValueType::Kind::kOptional)
    context.outputs()[0] = context.input(0);
  else if (type.inner)
    context.set_output(0, *type.inner);
  return {};
}

Status get(KernelContext& context) {
  if (!context.value(0).is_optional()) {
    context.set_output(0, context.value(0));
    return {};
  }
  const std::shared_ptr<Value>& value = context.value(0).optional().value;
  if (value == nullptr) return fail(ErrorCode::kInvalidModel, "the optional value has no element");
  context.set_output(0, *value);
  return {};
}

// Since 18 both operators also take tensors and sequences, which always have an element.
bool is_plain(const ValueType& type) {
  return type.kind == ValueType::Kind::kTensor || type.kind == ValueType::Kind::kSequence;
}

Status emit_has(EmitContext& context) {
  if (context.opset() >= 18 || (context.has_input(0) && !is_plain(context.input_type(0))))
    return emit_unchanged(context);
  Tensor answer = Tensor::allocate(DataType::kBool, {});
  *answer.mutable_data<uint8_t>() = context.has_input(0);
  return context.finish("Identity", {context.constant(std::move(answer), "has_element")});
}

Status emit_get(EmitContext& context) {
  if (context.opset() >= 18 || !is_plain(context.input_type(0))) return emit_unchanged(context);
  return context.finish("Identity", {context.input(0)});
}

}  // namespace

constinit const OpDef kOptional{.name = "Optional", .infer = infer_make, .reference = make};
constinit const OpDef kOptionalHasElement{
    .name = "OptionalHasElement", .infer = infer_has, .reference = has, .emit = emit_has};
constinit const OpDef kOptionalGetElement{
    .name = "OptionalGetElement", .infer = infer_get, .reference = get, .emit = emit_get};

}  // namespace tenon::ops
