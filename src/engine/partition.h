// Partition: which nodes of a graph one step computes together. It states what is worth fusing; whether a
// kernel can do it is the kernel rows' decision, and what none takes is split again.
#pragma once

#include <vector>

#include "engine/engine.h"

namespace tenon {

/// Regions that cover all nodes of the graph, each node once, in an order in which they can run.
std::vector<ops::Region> partition(const Graph& graph, const EngineOptions& options);

}  // namespace tenon
