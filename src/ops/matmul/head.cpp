#include "ops/matmul/head.h"

#include <algorithm>

#include "ops/views/strided_view.h"

namespace tenon::ops {

namespace {

/// Batches whose places a kernel keeps.
constexpr int64_t kBatchesMax = 1 << 20;

/// Where the matrices begin that batches of the shape `all` take from a view: dimensions of 1 repeat.
std::vector<int64_t> batches_of(const StridedView& view, const Shape& all) {
  const size_t dims = view.shape.size() - 2, missing = all.size() - 2 - dims;
  std::vector<int64_t> begins = {view.offset};
  for (size_t d = 0; d < dims; ++d) {
    const int64_t stride = view.shape[d] == 1 ? 0 : view.strides[d];
    std::vector<int64_t> longer;
    for (int64_t begin : begins)
      for (int64_t i = 0; i < all[missing + d]; ++i) longer.push_back(begin + i * stride);
    begins = std::move(longer);
  }
  int64_t repeats = 1;
  for (size_t d = 0; d < missing; ++d) repeats *= all[d];
  const size_t once = begins.size();
  for (int64_t r = 1; r < repeats; ++r)
    for (size_t i = 0; i < once; ++i) begins.push_back(begins[i]);
  return begins;
}

std::optional<MatMulHead::Side> side_of(const StridedView& view, const Shape& all) {
  const size_t rank = view.shape.size();
  MatMulHead::Side side{
      view.input, view.elements, batches_of(view, all), view.strides[rank - 2], view.strides[rank - 1],
      view.scale};
  if (side.row_stride != 1 && side.column_stride != 1) return std::nullopt;
  return side;
}

}  // namespace

std::optional<MatMulHead> matmul_head(const Region& region) {
  const Node& node = region.anchor_node();
  if (region.anchor == 0 || node.op != Op::kMatMul || !node.has_input(0) || !node.has_input(1))
    return std::nullopt;
  const auto a = strided_view(region, node.inputs[0]), b = strided_view(region, node.inputs[1]);
  const auto& type = region.type(node.outputs[0]).shape;
  const auto shape = type ? constant_shape(*type) : std::nullopt;
  if (!a || !b || !shape || a->shape.size() < 2 || b->shape.size() < 2 ||
      shape->size() != std::max(a->shape.size(), b->shape.size()))
    return std::nullopt;
  const auto batches = element_count(Shape(shape->begin(), shape->end() - 2));
  if (!batches.ok() || *batches > kBatchesMax) return std::nullopt;
  MatMulHead head;
  head.shape = *shape;
  head.rows = a->shape[a->shape.size() - 2];
  head.depth = a->shape.back();
  head.columns = b->shape.back();
  auto left = side_of(*a, *shape), right = side_of(*b, *shape);
  if (!left || !right || b->shape[b->shape.size() - 2] != head.depth) return std::nullopt;
  head.a = std::move(*left);
  head.b = std::move(*right);
  return head;
}

}  // namespace tenon::ops
