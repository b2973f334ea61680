#include "ops/conv/head.h"

#include <algorithm>

#include "ops/core/region_values.h"

namespace tenon::ops {

namespace {

/// Of blocks in any instruction set, the most channels.
constexpr int64_t kBlockMax = 16;
/// Images that a head puts together.
constexpr size_t kImagesMax = 256;

bool reads_pixels(const Region& region, const Node& conv) {
  const Tensor* weights = region.constant_input(conv, 1);
  if (conv.op != Op::kConv || weights == nullptr || weights->rank() != 4 || weights->dim(2) != 1 ||
      weights->dim(3) != 1 || conv.attributes.integer("group", 1) != 1)
    return false;
  const std::vector<int64_t> pads = conv.attributes.integers("pads");
  const std::string padding = conv.attributes.string("auto_pad", "NOTSET");
  return std::ranges::all_of(pads, [](int64_t pad) { return pad == 0; }) &&
         (padding == "NOTSET" || padding == "VALID");
}

/// The inputs of a Concat along channels, as indices of the region's.
std::optional<std::vector<size_t>> concatenated(const Region& region, const Node& node) {
  const int64_t axis = node.attributes.integer("axis");
  if (axis != 1 && axis != -3) return std::nullopt;
  if (node.inputs.size() > kImagesMax) return std::nullopt;
  std::vector<size_t> images;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    const auto at = std::ranges::find(region.inputs, id);
    if (at == region.inputs.end() || !is_image(region, id)) return std::nullopt;
    const bool is_last = i + 1 == node.inputs.size();
    if (!is_last && *(*region.type(id).shape)[1].constant() % kBlockMax != 0) return std::nullopt;
    images.push_back(static_cast<size_t>(at - region.inputs.begin()));
  }
  return images;
}

}  // namespace

bool can_end_head(const Graph& graph, const Node& node) {
  return node.op == Op::kConcat || node.op == Op::kBatchNormalization || node.op == Op::kMul ||
         node.op == Op::kAdd || clamp_bounds(graph, node).has_value();
}

std::optional<ConvHead> conv_head(const Region& region) {
  const Node& conv = region.anchor_node();
  if (region.anchor == 0 || !conv.has_input(0) || !reads_pixels(region, conv) ||
      !is_image(region, conv.inputs[0]))
    return std::nullopt;
  ConvHead head;
  size_t n = 0;
  ValueId current = kNoValue;
  if (region.nodes[0]->op == Op::kConcat) {
    auto images = concatenated(region, *region.nodes[0]);
    if (!images) return std::nullopt;
    head.images = std::move(*images);
    current = region.nodes[n++]->outputs[0];
  }
  // Whether the node goes on from what there is so far: for the first one, from an input of the region.
  const auto goes_on = [&](ValueId from) {
    if (current != kNoValue) return from == current;
    const auto at = std::ranges::find(region.inputs, from);
    if (at == region.inputs.end() || !is_image(region, from)) return false;
    head.images = {static_cast<size_t>(at - region.inputs.begin())};
    return true;
  };
  if (n < region.anchor) {
    if (auto operation = channel_operation(region, *region.nodes[n])) {
      if (!goes_on(operation->second)) return std::nullopt;
      head.channels = std::move(operation->first);
      current = region.nodes[n++]->outputs[0];
    }
  }
  if (n < region.anchor) {
    if (const auto bounds = clamp_bounds(*region.graph, *region.nodes[n])) {
      if (!goes_on(region.nodes[n]->inputs[0])) return std::nullopt;
      std::tie(head.low, head.high) = *bounds;
      current = region.nodes[n++]->outputs[0];
    }
  }
  if (n != region.anchor || conv.inputs[0] != current) return std::nullopt;
  return head;
}

}  // namespace tenon::ops
