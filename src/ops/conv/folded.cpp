#include "ops/conv/folded.h"

#include "ops/normalization/channel_norm.h"

namespace tenon::ops {

Result<FoldedBias> fold_channel_norm(const Region& region, int64_t channels) {
  const Tensor* bias = region.constant_input(region.anchor_node(), 2);
  FoldedBias folded;
  if (bias != nullptr) folded.bias.assign(bias->span<float>().begin(), bias->span<float>().end());
  const Node* node = folded_channel_norm(region);
  if (node == nullptr) return folded;
  ChannelNorm norm = TENON_TRY(ChannelNorm::of(*region.graph, *node, channels));
  folded.bias.resize(norm.factor.size(), 0.0f);
  for (size_t c = 0; c < folded.bias.size(); ++c)
    folded.bias[c] = static_cast<float>(norm.apply(c, folded.bias[c]));
  folded.factors = std::move(norm.factor);
  return folded;
}

std::optional<FusedTail> tail_of(const Region& region) {
  const size_t first = tail_begin(region);
  return fused_tail(region, first, region.nodes[first - 1]->outputs[0]);
}

}  // namespace tenon::ops
