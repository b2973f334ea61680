// The pipeline: every pass by name, in the order of running, each one checked after it ran.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/pass.h"
#include "tenon/progress.h"

namespace tenon::passes {

/// The passes in order. The whole list runs again as long as something changes, up to a bound.
std::span<const Pass> pipeline();

struct Options {
  /// Names of passes to leave out, or "all". An unknown name is an error.
  std::vector<std::string> disabled;
  /// Whether the engine will run the model: with Pass::for_engine.
  bool for_engine = false;
  /// Called after each pass that changed something, with the number of places changed.
  std::function<void(const Pass& pass, const Graph& graph, size_t changes)> trace;
  ProgressFunction progress;  ///< Told of each pass.
};

/// Transforms the model. Its inputs and outputs stay, in number, order and name, and each value that keeps
/// its name keeps its meaning. kUsage for an unknown pass, kInternal when a pass breaks the graph.
Status run_pipeline(TypedModel& model, const Options& options);

}  // namespace tenon::passes
