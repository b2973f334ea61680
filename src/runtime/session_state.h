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

  Result<std::shared_ptr<const MemoryPlan>> plan_for(const std::vector<ValueType>& input_types);
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

/// Checks what the caller gave against the model's inputs, and puts it in their order; null for an input that
/// takes its default.
Result<std::vector<const Value*>> match_inputs(const std::vector<ValueDescription>& descriptions,
                                               const TypedModel& model, const std::vector<NamedValue>& given);

/// The description of a value of a graph.
ValueDescription describe(const Graph& graph, ValueId id);

}  // namespace tenon
