// ConstantOfShape: one value, repeated to a shape. https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html
#include <algorithm>

#include "ops/core/op_def.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

Result<Tensor> fill_value(const Attributes& attributes) {
  const Tensor* value = attributes.tensor("value");
  if (value == nullptr) return Tensor::scalar(0.0f);
  if (value->size() != 1)
    return fail(ErrorCode::kInvalidModel, "the value to fill with has {} elements", value->size());
  return *value;
}

Status infer(InferContext& context) {
  Tensor value = TENON_TRY(fill_value(context.attributes()));
  auto shape = context.elements(0);
  if (!shape) {
    std::optional<SymShape> unknown;
    if (const SymShape* rank = context.shape(0); rank != nullptr && rank->size() == 1) {
      auto count = (*rank)[0].constant();
      if (count && *count >= 0 && *count <= kTrackedElements)
        unknown = context.fresh_shape(static_cast<size_t>(*count));
    }
    context.set_output(0, value.type(), std::move(unknown));
    return {};
  }
  for (const SymInt& dim : *shape)
    if (auto number = dim.constant(); number && *number < 0)
      return fail(ErrorCode::kInvalidModel, "the shape to fill has the dimension {}", *number);
  context.set_output(0, value.type(), *shape);
  auto count = element_count(*shape).constant();
  if (shape->size() <= 1 && is_integer(value.type()) && count && *count <= kTrackedElements)
    context.set_elements(0, std::vector<SymInt>(static_cast<size_t>(*count), SymInt(to_ints(value)[0])));
  return {};
}

Status reference(KernelContext& context) {
  Tensor value = TENON_TRY(fill_value(context.attributes()));
  Shape shape = to_ints(context.input(0));
  TENON_TRY(element_count(shape));
  Tensor& output = context.output(0, value.type(), std::move(shape));
  by_width(value.type(), [&]<class T>(std::type_identity<T>) {
    std::fill_n(output.mutable_data<T>(), output.size(), *value.data<T>());
  });
  return {};
}

// The operator came with 9: before, only a shape that is known can be written, as a constant.
Status emit(EmitContext& context) {
  if (context.opset() >= 9) return emit_unchanged(context);
  const Tensor* shape = context.constant(0);
  if (shape == nullptr) return context.unsupported(9, "a shape that is computed by the model");
  Tensor value = TENON_TRY(fill_value(context.attributes()));
  Shape dims = to_ints(*shape);
  TENON_TRY(element_count(dims));
  Tensor filled = Tensor::allocate(value.type(), std::move(dims));
  by_width(value.type(), [&]<class T>(std::type_identity<T>) {
    std::fill_n(filled.mutable_data<T>(), filled.size(), *value.data<T>());
  });
  return context.finish("Identity", {context.constant(std::move(filled), "filled")});
}

}  // namespace

constinit const OpDef kConstantOfShape{
    .name = "ConstantOfShape", .infer = infer, .reference = reference, .emit = emit};

}  // namespace tenon::ops
