// Regions that do nothing but move channels of images: Concat, Split, and what shuffles channels, a Reshape
// to groups, a Transpose of groups and channels, and a Reshape back (ShuffleNet).
#pragma once

#include <optional>
#include <vector>

#include "kernels/layout/channel_moves.h"
#include "ops/core/kernel.h"

namespace tenon::ops {

/// Whether a region that moves channels may begin with the node.
bool can_begin_moves(const Node& node);

struct MovedChannels {
  std::vector<size_t> inputs;  ///< Index in Region::inputs of each source that is read.
  /// By Region::outputs: the source of each channel, `input` an index of `inputs`.
  std::vector<std::vector<kernels::ChannelSource>> outputs;
};

/// What a region of float32 images [N, C, H, W] with known channels moves. nullopt when it does something
/// else, or an output is no image yet (`partial`: is then well, and missing from the outputs).
std::optional<MovedChannels> moved_channels(const Region& region, bool partial = false);

}  // namespace tenon::ops
