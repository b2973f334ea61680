// Runs nodes and graphs by their references, one after the other: for constant folding, for align (the plain
// side of a comparison) and for tests. Independent of engines and of their memory plans.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "base/try.h"
#include "ir/graph.h"
#include "ops/core/kernel.h"

namespace tenon::ops {

struct EvaluateOptions {
  /// Called after each node of the main graph, with null for inputs that are omitted. May look at the
  /// outputs, or put others in their place before any other node reads them.
  std::function<Status(const Node& node, std::span<const Value* const> inputs, std::span<Value> outputs)>
      after_node;
  /// Runs the independent outputs of a reference in parallel; null: on the calling thread.
  std::function<void(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body)> parallel_for;
  /// Asked between nodes and trips of loops; an error ends the evaluation.
  std::function<Status()> interrupted;
  uint64_t random_seed = 0;
};

/// Values for graph.inputs in order give values for graph.outputs in order. A null entry takes the input's
/// default. Values are freed after their last use.
Result<std::vector<Value>> evaluate(const Graph& graph, const std::vector<const Value*>& inputs,
                                    const EvaluateOptions& options = {});

/// One node without subgraphs. Inputs may be null where omitted. Outputs in the node's order.
Result<std::vector<Value>> evaluate_node(const Node& node, const std::vector<const Value*>& inputs,
                                         const EvaluateOptions& options = {});

}  // namespace tenon::ops
