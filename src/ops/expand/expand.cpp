// Expand: a tensor repeated along dimensions of 1 by the broadcasting rule.
// https://onnx.ai/onnx/operators/onnx__Expand.html
#include <algorithm>

#include "kernels/strided_copy.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  const DataType element = context.element(0);
  context.set_output(0, element);
  if (auto wanted = context.elements(1)) {
    for (const SymInt& dim : *wanted)
      if (auto value = dim.constant(); value && *value < 0)
        return fail(ErrorCode::kInvalidModel, "the shape to expand to has the dimension {}", *value);
    if (input == nullptr) return {};
    context.set_output(0, element, TENON_TRY(broadcast(*input, *wanted)));
    auto elements = context.elements(0);
    const SymShape& shape = *context.outputs()[0].type.shape;
    if (!elements || shape.size() > 1) return {};
    auto count = element_count(shape).constant();
    if (!count || *count > kTrackedElements) return {};
    if (elements->size() == 1) elements->assign(static_cast<size_t>(*count), SymInt((*elements)[0]));
    if (static_cast<int64_t>(elements->size()) == *count) context.set_elements(0, std::move(*elements));
    return {};
  }
  const SymShape* rank = context.shape(1);
  if (input == nullptr || rank == nullptr || rank->size() != 1) return {};
  auto count = (*rank)[0].constant();
  if (!count || *count < 0 || *count > kTrackedElements) return {};
  // Dimensions other than 1 stay; those of 1 may grow.
  SymShape shape = context.fresh_shape(std::max(input->size(), static_cast<size_t>(*count)));
  for (size_t i = 0; i < input->size(); ++i) {
    const SymInt& dim = (*input)[input->size() - 1 - i];
    if (dim.is_constant() && !dim.is(1)) shape[shape.size() - 1 - i] = dim;
  }
  context.set_output(0, element, std::move(shape));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  std::vector<int64_t> wanted = to_ints(context.input(1));
  if (std::any_of(wanted.begin(), wanted.end(), [](int64_t dim) { return dim < 0; }))
    return fail(ErrorCode::kInvalidModel, "the shape to expand to is {}", to_string(wanted));
  Shape shape = *constant_shape(TENON_TRY(broadcast(to_sym(input.shape()), to_sym(wanted))));
  if (shape == input.shape()) {
    context.set_output(0, input);
    return {};
  }
  TENON_TRY(element_count(shape));
  const std::vector<int64_t> dense = kernels::dense_strides(input.shape());
  std::vector<int64_t> strides(shape.size(), 0);
  for (size_t i = 0; i < dense.size(); ++i)
    if (input.dim(i) != 1) strides[shape.size() - dense.size() + i] = dense[i];
  Tensor& output = context.output(0, input.type(), shape);
  kernels::StridedCopy(input.type(), shape, strides, kernels::dense_strides(shape))
      .run(input.raw(), output.mutable_raw());
  return {};
}

}  // namespace

constinit const OpDef kExpand{.name = "Expand", .infer = infer, .reference = reference};

}  // namespace tenon::ops
