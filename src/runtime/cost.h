// What the steps of an engine cost, by their shapes: for inspect.
#pragma once

#include "engine/engine.h"
#include "tenon/inspect.h"

namespace tenon {

/// One entry a step of the main graph, in the order of running; dimensions that the model leaves open count
/// as 1.
Result<std::vector<LayerCost>> layer_costs(const Engine& engine);

}  // namespace tenon
