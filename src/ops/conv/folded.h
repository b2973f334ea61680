// What the regions of Conv and ConvTranspose have behind their anchor: a factor and shift for each channel,
// folded into the weights, and a tail.
#pragma once

#include <optional>
#include <vector>

#include "ops/fusion/tail.h"

namespace tenon::ops {

/// What turns weights and bias into those with the ChannelNorm behind them multiplied in: w' = w * factor and
/// b' = (b - mean) * factor + bias, rounded once.
struct FoldedBias {
  std::vector<double> factors;  ///< Of each output channel; empty: 1.
  std::vector<float> bias;      ///< Empty: none.
};
/// For an anchor of `channels` output channels with a constant bias or none. kInvalidModel, with the node,
/// when the ChannelNorm has another number of them.
Result<FoldedBias> fold_channel_norm(const Region& region, int64_t channels);

/// What comes after the anchor and its ChannelNorm; nullopt when it is not a tail.
std::optional<FusedTail> tail_of(const Region& region);

}  // namespace tenon::ops
