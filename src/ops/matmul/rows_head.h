// The head of a region whose anchor is a MatMul with a constant matrix: the nodes before it that normalise
// the rows of its first operand, or move them. Read by the partitioner and by kernel rows.
#pragma once

#include <optional>
#include <vector>

#include "ops/core/kernel.h"

namespace tenon::ops {

struct RowsHead {
  static constexpr size_t kNodesMax = 16;

  size_t input = 0;            ///< Index in Region::inputs.
  Shape input_shape;           ///< Its last axis is a row.
  Shape shape;                 ///< Of what is multiplied, likewise.
  std::vector<int32_t> rows;   ///< Which row of the input each row is; empty: the same.
  const Node* norm = nullptr;  ///< A LayerNormalization of all rows with a constant scale and bias.
};

/// Whether such a head can have the node.
bool can_be_in_rows_head(const Node& node);

/// nullopt when nodes do other things, shapes are not known, or there are very many rows.
std::optional<RowsHead> rows_head(const Region& region);

}  // namespace tenon::ops
