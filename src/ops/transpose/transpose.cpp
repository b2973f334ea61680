// Transpose: dimensions in another order. https://onnx.ai/onnx/operators/onnx__Transpose.html
#include <algorithm>
#include <numeric>

#include "kernels/strided_copy.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "ops/transpose/kernels.h"

namespace tenon::ops {

namespace {

Result<std::vector<int64_t>> permutation(const Attributes& attributes, size_t rank) {
  std::vector<int64_t> perm(rank);
  std::iota(perm.rbegin(), perm.rend(), 0);
  if (!attributes.has("perm")) return perm;
  perm = attributes.integers("perm");
  std::vector<int64_t> sorted = TENON_TRY(normalize_axes(perm, static_cast<int64_t>(rank)));
  if (sorted.size() != rank)
    return fail(ErrorCode::kInvalidModel, "perm has {} entries for a tensor of rank {}", perm.size(), rank);
  for (int64_t& axis : perm) axis = axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
  return perm;
}

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  if (input == nullptr) {
    std::optional<SymShape> shape;
    if (context.attributes().has("perm"))
      shape = context.fresh_shape(context.attributes().integers("perm").size());
    context.set_output(0, context.element(0), std::move(shape));
    return {};
  }
  SymShape output;
  for (int64_t axis : TENON_TRY(permutation(context.attributes(), input->size())))
    output.push_back((*input)[static_cast<size_t>(axis)]);
  context.set_output(0, context.element(0), std::move(output));
  if (auto elements = context.elements(0)) context.set_elements(0, std::move(*elements));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  std::vector<int64_t> perm = TENON_TRY(permutation(context.attributes(), input.shape().size()));
  std::vector<int64_t> strides = kernels::dense_strides(input.shape());
  Shape shape(perm.size());
  std::vector<int64_t> in_strides(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) {
    shape[i] = input.dim(static_cast<size_t>(perm[i]));
    in_strides[i] = strides[static_cast<size_t>(perm[i])];
  }
  Tensor& output = context.output(0, input.type(), shape);
  kernels::StridedCopy copy(input.type(), shape, in_strides, kernels::dense_strides(shape));
  context.parallel_for(
      copy.outer(), std::max<int64_t>(1, 16384 / copy.inner_size()),
      [&](int64_t begin, int64_t end) { copy.run(input.raw(), output.mutable_raw(), begin, end); });
  return {};
}

}  // namespace

constinit const OpDef kTranspose{
    .name = "Transpose", .infer = infer, .reference = reference, .rows = kTransposeRows};

}  // namespace tenon::ops
