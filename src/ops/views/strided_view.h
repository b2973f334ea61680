// Tensors as strided views of others: what Transpose, Reshape, Gather of one index and their like do to a
// tensor without moving its elements. Kernels that read operands by strides take them as they are.
#pragma once

#include <optional>
#include <vector>

#include "ops/core/kernel.h"

namespace tenon::ops {

/// Element (i, j, ...) is scale * base[offset + i * strides[0] + j * strides[1] ...], rounded once.
struct StridedView {
  size_t input = 0;      ///< The base: index in Region::inputs of a float32 tensor of a known shape.
  int64_t elements = 0;  ///< Of the base.
  int64_t offset = 0;
  std::vector<int64_t> shape, strides;
  std::optional<float> scale;
};

/// The operand that the node makes a view of, if it is of an operator that makes views, or a product with one
/// number; else kNoValue.
ValueId viewed_operand(const Graph& graph, const Node& node);

/// Value `id` as a view of an input of the region, by the nodes before its anchor; nullopt when it is none,
/// has no elements or a shape is not known.
std::optional<StridedView> strided_view(const Region& region, ValueId id);

}  // namespace tenon::ops
