// What multiplies and shifts each channel by known numbers, BatchNormalization above all: what its reference
// computes, and what kernels fold into weights or run as a map.
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
  /// A BatchNormalization in inference mode with constant parameters of `channels` entries each, or a
  /// product as is_channel_product has it; kInvalidModel, with the node, for another number of entries.
  static Result<ChannelNorm> of(const Graph& graph, const Node& node, int64_t channels);

  ChannelNorm() = default;

  double apply(size_t channel, double x) const {
    return (x - mean[channel]) * factor[channel] + bias[channel];
  }
};

/// Whether a BatchNormalization that ChannelNorm::of takes, in float32.
bool is_constant_batch_norm(const Graph& graph, const Node& node);

/// Whether a constant has one float32 for each channel of [N, C, H, W]: of shape [C, 1, 1] or [1, C, 1, 1].
bool is_by_channel(const Tensor& constant, int64_t channels);
/// Whether the product of `x`, float32 [N, C, H, W], with such a constant.
bool is_channel_product(const Graph& graph, const Node& node, ValueId x);

}  // namespace tenon::ops
