// Attention printed in parts, as one region: softmax(Q K^T * scale + added ...) V, with the views before Q, K
// and V, and the Transpose and Reshape that put heads side by side behind. Read by the partitioner and by
// kernel rows. The anchor is the Softmax.
#pragma once

#include <optional>
#include <vector>

#include "ops/core/kernel.h"
#include "ops/matmul/head.h"

namespace tenon::ops {

struct AttentionParts {
  /// A tensor that is added to the scores.
  struct Added {
    const Node* node = nullptr;  ///< The Add.
    size_t input = 0;            ///< Of the node.
    Shape shape;                 ///< The tensor's.
    Shape batch_shape;           ///< Of the scores there.
    Shape batch_strides;         ///< Floats; 0 where it repeats.
    int64_t row = 0;             ///< Floats from one query to the next.
  };
  MatMulHead::Side q, k, v;
  int64_t queries = 0, keys = 0, head_size = 0, v_head_size = 0;
  float scale = 1;           ///< Of the scores; q and k have their own.
  std::vector<Added> added;  ///< Two at most.
  Shape batch_shape;         ///< Of the first product: one head each.
  Shape v_batch_shape;       ///< Of the second, as many heads in the same order.
  Shape out_shape;           ///< Of the output; it has elements.
  Shape out_strides;         ///< From one head to the next along each axis of v_batch_shape.
  int64_t out_row = 0;       ///< From one query to the next. The elements of a row lie together.
};

/// nullopt when the region is something else, shapes are not known, or there are no elements.
std::optional<AttentionParts> attention_parts(const Region& region);

/// Whether the node may stand between the first product and the Softmax.
bool can_be_in_scores(const Node& node);

/// A kernel for such a region.
std::unique_ptr<Kernel> make_attention_parts(const Region& region, Isa isa);

}  // namespace tenon::ops
