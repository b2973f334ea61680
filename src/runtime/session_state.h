// What a Session holds, and how the library's own parts make sessions from models in memory.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/memory_plan.h"
#include "runtime/output_plan.h"
#include "runtime/run_state.h"
#include "tenon/session.h"

namespace tenon {

struct Session::State {
  std::shared_ptr<const Engine> engine;
  int threads = 1;
  std::vector<ValueDescription> inputs;
  std::vector<ValueDescription> outputs;
  std::vector<std::string> output_names;
  OutputPlan default_outputs;

  /// Plans by the types and sizes of the inputs; null when there is none yet.
  std::shared_ptr<const MemoryPlan> find_plan(const std::vector<int64_t>& key);
  Result<std::shared_ptr<const MemoryPlan>> make_plan(const std::vector<int64_t>& key,
                                                      const std::vector<ValueType>& input_types);
  std::unique_ptr<RunState> take_run_state();
  void give_back(std::unique_ptr<RunState> run_state);
  uint64_t planned_bytes();

 private:
  using PlanKey = std::vector<int64_t>;
  std::mutex mutex_;                                                          // guards what follows
  std::vector<std::pair<PlanKey, std::shared_ptr<const MemoryPlan>>> plans_;  // newest last
  std::vector<std::unique_ptr<RunState>> idle_;
};

/// Runs the passes over the model, compiles it for an instruction set and opens a session.
Result<std::shared_ptr<Session>> make_session(TypedModel model, const SessionOptions& options,
                                              Isa isa = available_isa());

/// A session that runs an engine.
Result<std::shared_ptr<Session>> session_of(std::shared_ptr<const Engine> engine,
                                            const SessionOptions& options);
/// kUsage for a number of threads that cannot be.
Status check_threads(const SessionOptions& options);

/// Puts what the caller gave into `inputs` in the order of the model's inputs, null for one that takes its
/// default. Checks names, kinds and element types.
Status name_inputs(const std::vector<ValueDescription>& descriptions, const TypedModel& model,
                   std::span<const NamedValue> given, std::vector<const Value*>& inputs);
/// Checks the sizes of such inputs: of nothing but the inputs' shapes.
Status check_input_sizes(const TypedModel& model, std::span<const Value* const> inputs);
/// Both.
Status match_inputs(const std::vector<ValueDescription>& descriptions, const TypedModel& model,
                    std::span<const NamedValue> given, std::vector<const Value*>& inputs);

/// The description of a value of a graph.
ValueDescription describe(const Graph& graph, ValueId id);

}  // namespace tenon
