// Gelu as exporters print it where ai.onnx has no Gelu yet: x * (1 + erf(x / sqrt(2))) / 2, with the factor
// 1/2 in any of three places.
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"

namespace tenon::ops {

/// How many nodes the pattern has.
inline constexpr size_t kGeluNodes = 5;

/// Whether the nodes, in the order of running, are Gelu of `x`, of which the last one makes the result.
bool is_gelu(const Graph& graph, std::span<const Node* const> nodes, ValueId x);

/// The nodes that are Gelu of `x`, when nothing else uses `x` or what they hand on to each other; else empty.
std::vector<size_t> gelu_of(const Graph& graph, const Graph::Uses& uses, ValueId x);

}  // namespace tenon::ops
