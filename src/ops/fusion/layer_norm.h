// LayerNormalization as exporters print it where an opset has none:
//   d = x - mean(x);  y = d / sqrt(mean(d^2) + epsilon) * scale + bias
// over the last axes, with x * x or Pow for the square, a division or a product with a reciprocal, and with
// or without scale and bias.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace tenon::ops {

struct PrintedLayerNorm {
  ValueId x = kNoValue;
  int64_t length = 0;  ///< Elements of the last axes.
  double epsilon = 0;
  Tensor scale, bias;  ///< Float32 constants of `length` elements or one; undefined when there is none.
};

/// What the nodes, in the order of running, are together; nullopt when it is something else. x is float32,
/// and the sizes of its last axes are known.
std::optional<PrintedLayerNorm> printed_layer_norm(const Graph& graph, std::span<const Node* const> nodes);

/// The nodes from ReduceMean node `first` on that are a LayerNormalization, when nothing else uses what they
/// hand on to each other; else empty.
std::vector<size_t> layer_norm_at(const Graph& graph, const Graph::Uses& uses, size_t first);

}  // namespace tenon::ops
