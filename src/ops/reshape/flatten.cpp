// Flatten: the dimensions before and after an axis, joined. https://onnx.ai/onnx/operators/onnx__Flatten.html
#include "ops/core/axes.h"
#include "ops/core/op_def.h"

namespace tenon::ops {

namespace {

// The axis may be the rank itself: then the second dimension is 1.
Result<int64_t> split_axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis > rank)
    return fail(ErrorCode::kInvalidModel, "axis {} is outside a tensor of rank {}", axis, rank);
  return axis < 0 ? axis + rank : axis;
}

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  if (input == nullptr) {
    context.set_output(0, context.element(0), context.fresh_shape(2));
    return {};
  }
  int64_t axis =
      TENON_TRY(split_axis(context.attributes().integer("axis", 1), static_cast<int64_t>(input->size())));
  SymInt rows = 1, columns = 1;
  for (size_t i = 0; i < input->size(); ++i) (static_cast<int64_t>(i) < axis ? rows : columns) *= (*input)[i];
  context.set_output(0, context.element(0), SymShape{rows, columns});
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  int64_t axis = TENON_TRY(split_axis(context.attributes().integer("axis", 1), input.rank()));
  Shape shape = {1, 1};
  for (int64_t i = 0; i < input.rank(); ++i) shape[i < axis ? 0 : 1] *= input.dim(static_cast<size_t>(i));
  context.set_output(0, input.reshaped(std::move(shape)));
  return {};
}

}  // namespace

constinit const OpDef kFlatten{.name = "Flatten",
                               .infer = infer,
                               .reference = reference,
                               .emit = emit_axis_of_first,
                               .traits = {.view = true}};

}  // namespace tenon::ops
