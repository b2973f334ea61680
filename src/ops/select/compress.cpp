// Compress: the slices along an axis (or the elements) for which a condition holds.
// https://onnx.ai/onnx/operators/onnx__Compress.html
#include <algorithm>

#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  if (!context.attributes().has("axis")) {
    context.set_output(0, context.element(0), SymShape{context.fresh_symbol()});
    return {};
  }
  std::optional<SymShape> shape;
  if (input != nullptr) {
    shape = *input;
    const auto rank = static_cast<int64_t>(input->size());
    const int64_t axis = TENON_TRY(normalize_axis(context.attributes().integer("axis"), rank));
    (*shape)[static_cast<size_t>(axis)] = context.fresh_symbol();
  }
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& condition = context.input(1);
  Tensor input = context.input(0);
  size_t axis = 0;
  if (context.attributes().has("axis"))
    axis = static_cast<size_t>(TENON_TRY(normalize_axis(context.attributes().integer("axis"), input.rank())));
  else
    input = input.reshaped({input.size()});
  const int64_t dim = input.dim(axis);
  std::vector<int64_t> picks;
  for (int64_t i = 0; i < condition.size(); ++i)
    if (condition.data<uint8_t>()[i] != 0) picks.push_back(i);
  if (!picks.empty() && picks.back() >= dim)
    return fail(ErrorCode::kInvalidModel, "slice {} is picked from a dimension of {}", picks.back(), dim);
  Shape shape = input.shape();
  shape[axis] = static_cast<int64_t>(picks.size());
  int64_t outer = 1, block = 1;
  for (size_t i = 0; i < axis; ++i) outer *= input.dim(i);
  for (size_t i = axis + 1; i < input.shape().size(); ++i) block *= input.dim(i);
  Tensor& output = context.output(0, input.type(), std::move(shape));
  by_width(input.type(), [&]<class T>(std::type_identity<T>) {
    T* target = output.mutable_data<T>();
    for (int64_t i = 0; i < outer; ++i)
      for (int64_t pick : picks)
        target = std::copy_n(input.data<T>() + (i * dim + pick) * block, block, target);
  });
  return {};
}

Status emit(EmitContext& context) {
  return context.attributes().has("axis") ? emit_axis_of_first(context) : emit_unchanged(context);
}

}  // namespace

constinit const OpDef kCompress{.name = "Compress", .infer = infer, .reference = reference, .emit = emit};

}  // namespace tenon::ops
