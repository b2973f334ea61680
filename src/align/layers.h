// Layers: step by step through the engine as shipped, each value beside the exact one and beside the
// reference's.
#pragma once

#include <vector>

#include "align/inside.h"
#include "tenon/session.h"

namespace tenon::alignment {

using NamedValues = std::unordered_map<std::string, Value>;

/// The floating point values at the borders of the engine's steps, in the order of execution. `inside` has
/// looked at the session's compiled graph with the same inputs; `reference` holds what the other side has
/// under the same names. Asking for the values does not change them (a session's promise). `session_values`,
/// when not null, gets every value that was asked for.
Result<std::vector<LayerComparison>> compare_layers(const Session& session, const Sample& inputs,
                                                    const Inside& inside, const NamedValues& reference,
                                                    NamedValues* session_values,
                                                    const ProgressFunction& progress = {});

}  // namespace tenon::alignment
