// Regions that only change how PyTorch runs, not what it computes: grad mode, disabled autocast, activation
// checkpoints. First step of functionalisation.
#pragma once

#include "ir/aten/program.h"

namespace tenon::aten {

/// Puts the nodes of such regions in place of the node that wraps them, in `graph` and all its subgraphs.
/// Values keep their names unless the graph has them already. kUnsupported for enabled autocast, whose casts
/// are not in the program; kInvalidModel when operands do not fit the region.
Status inline_regions(Graph& graph);

}  // namespace tenon::aten
