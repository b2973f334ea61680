// Kernels for regions: the first row of the anchor's operator that fits and that a Choice takes. By default
// that depends on operators, types, shapes and constants alone, so that the same model gives the same kernels
// on every machine of one instruction set.
#pragma once

#include <vector>

#include "engine/engine.h"

namespace tenon {

/// Appends the step that computes a region, and says how its outputs are stored. A region that no row takes
/// as a whole loses its last node until one does; what was cut off becomes steps of its own. kUnsupported
/// when a node has no reference either. The steps that make the region's inputs are there already.
Status add_steps(ops::Region region, const EngineOptions& options, Choice& choice, EngineGraph& compiled);

}  // namespace tenon
