// The head of a region whose anchor is a 1x1 convolution: the nodes before it, which the convolution does
// while it reads its input. Read by the partitioner and by kernel rows.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "ops/core/kernel.h"
#include "ops/fusion/tail.h"

namespace tenon::ops {

/// clamp(x * scale + shift), where x is one image behind the other along the channels.
struct ConvHead {
  static constexpr size_t kNodesMax = 3;
  std::vector<size_t> images;  ///< Indices in Region::inputs.
  ChannelScale channels;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// nullopt when a node before the anchor does something else, or the anchor is no 1x1 convolution of one
/// group that reads each pixel inside the image, or channels of the images do not fill blocks: a Concat, a
/// BatchNormalization or a product or sum with one number for each channel, a Relu or Clip, each at most once
/// and in this order.
std::optional<ConvHead> conv_head(const Region& region);

/// Whether the node can be the last one of a head.
bool can_end_head(const Graph& graph, const Node& node);

}  // namespace tenon::ops
