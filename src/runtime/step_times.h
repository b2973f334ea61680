// What runs and their steps take: for bench and inspect.
#pragma once

#include <vector>

#include "tenon/bench.h"
#include "tenon/inspect.h"

namespace tenon {

/// The smallest time that at least `share` of the sorted times do not exceed.
double quantile(const std::vector<double>& sorted, double share);

/// The median time of each step, over some runs.
Result<std::vector<BenchResult::Step>> profile_steps(const Session& session,
                                                     const std::vector<NamedValue>& inputs,
                                                     const ProgressFunction& progress);

/// Measures times and bounds of the report's layers, which are those of the session, and the machine. A bound
/// is the larger of: the multiplications at the peak; weights and activations read and written once, weights
/// from memory when those of all steps are larger than the caches.
Status time_layers(const Session& session, const ProgressFunction& progress, InspectReport& report);

}  // namespace tenon
