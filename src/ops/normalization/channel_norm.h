// BatchNormalization with known statistics, by channel: what its reference computes, and what kernels fold
// into weights or run as a map.
#pragma once

#include <vector>

#include "base/try.h"
#include "ir/graph.h"

namespace tenon::ops {

/// y = (x - mean) * factor + bias in each channel.
struct ChannelNorm {
  std::vector<double> factor, mean, bias;

  /// factor = scale / sqrt(variance + epsilon), with the epsilon of the node's attributes. The lists have one
  /// entry a channel.
  ChannelNorm(const std::vector<double>& scale, std::vector<double> biases, std::vector<double> means,
              const std::vector<double>& variance, const Attributes& attributes);
  /// A BatchNormalization in inference mode with constant parameters of `channels` entries each;
  /// kInvalidModel, with the node, for another number of them.
  static Result<ChannelNorm> of(const Graph& graph, const Node& node, int64_t channels);

  double apply(size_t channel, double x) const {
    return (x - mean[channel]) * factor[channel] + bias[channel];
  }
};

/// Whether a BatchNormalization that ChannelNorm::of takes, in float32.
bool is_constant_batch_norm(const Graph& graph, const Node& node);

}  // namespace tenon::ops
