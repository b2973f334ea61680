// Checks that a TypedModel keeps the rules of its own structure. Run after upgrade, lowering and every pass:
// what it finds is tenon's own mistake, so its errors are kInternal.
#pragma once

#include "ir/graph.h"
#include "tenon/error.h"

namespace tenon {

/// Every id is one of the graph's; names are there and unique; each value is made once (by a node, or as
/// input, constant or capture); nodes use only what is there before them; outputs exist; captures name values
/// that the enclosing graph has at that point; constants and known elements agree with their types. Subgraphs
/// included. The error names the node or value.
Status verify(const Graph& graph);
Status verify(const TypedModel& model);

}  // namespace tenon
