#include "ops/matmul/head.h"

#include <algorithm>

namespace tenon::ops {

std::optional<MatMulHead::Side> matmul_side(const StridedView& view, const Shape& batches) {
  const size_t rank = view.shape.size(), missing = batches.size() + 2 - rank;
  MatMulHead::Side side{
      view.input, view.elements, view.offset, {}, view.strides[rank - 2], view.strides[rank - 1], view.scale};
  side.batch_strides.resize(batches.size(), 0);
  for (size_t d = 0; d + 2 < rank; ++d) {
    if (view.shape[d] != 1 && view.shape[d] != batches[missing + d]) return std::nullopt;
    if (view.shape[d] != 1) side.batch_strides[missing + d] = view.strides[d];
  }
  if (side.row_stride != 1 && side.column_stride != 1) return std::nullopt;
  return side;
}

std::optional<MatMulHead> matmul_head(const Region& region) {
  const Node& node = region.anchor_node();
  if (region.anchor == 0 || node.op != Op::kMatMul || !node.has_input(0) || !node.has_input(1) ||
      !node.has_output(0))
    return std::nullopt;
  const auto a = strided_view(region, node.inputs[0]), b = strided_view(region, node.inputs[1]);
  const auto& type = region.type(node.outputs[0]).shape;
  const auto shape = type ? constant_shape(*type) : std::nullopt;
  if (!a || !b || !shape || a->shape.size() < 2 || b->shape.size() < 2 ||
      shape->size() != std::max(a->shape.size(), b->shape.size()))
    return std::nullopt;
  MatMulHead head;
  head.shape = *shape;
  head.batch_shape = Shape(shape->begin(), shape->end() - 2);
  head.rows = a->shape[a->shape.size() - 2];
  head.depth = a->shape.back();
  head.columns = b->shape.back();
  auto left = matmul_side(*a, head.batch_shape), right = matmul_side(*b, head.batch_shape);
  if (!left || !right || b->shape[b->shape.size() - 2] != head.depth) return std::nullopt;
  head.a = std::move(*left);
  head.b = std::move(*right);
  return head;
}

}  // namespace tenon::ops
