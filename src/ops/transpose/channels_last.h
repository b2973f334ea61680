// The Transposes between images [N, C, H, W] and channels last, [N, H, W, C].
#pragma once

#include <vector>

#include "ir/graph.h"

namespace tenon::ops {

inline bool is_transpose_by(const Node& node, const std::vector<int64_t>& perm) {
  return node.op == Op::kTranspose && node.has_input(0) && node.has_output(0) &&
         node.attributes.integers("perm") == perm;
}
inline bool turns_channels_last(const Node& node) {
  return is_transpose_by(node, {0, 2, 3, 1});
}
inline bool turns_channels_first(const Node& node) {
  return is_transpose_by(node, {0, 3, 1, 2});
}

/// Whether a LayerNormalization of images with channels last runs over the channels of each pixel.
inline bool is_over_last_of_four(const Node& layer_norm) {
  const int64_t axis = layer_norm.attributes.integer("axis", -1);
  return axis == -1 || axis == 3;
}

}  // namespace tenon::ops
