#include "tenon/session.h"

#include <algorithm>
#include <new>

#include "base/guard_memory.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "runtime/executor.h"
#include "runtime/session_state.h"

namespace tenon {

namespace {

constexpr size_t kMaxPlans = 16;

std::vector<int64_t> key_of(const std::vector<ValueType>& types) {
  std::vector<int64_t> key;
  for (const ValueType& type : types) {
    key.push_back(static_cast<int64_t>(type.kind) * 64 + static_cast<int64_t>(type.element));
    key.push_back(type.shape ? static_cast<int64_t>(type.shape->size()) : -1);
    if (!type.shape) continue;
    for (const SymInt& size : *type.shape) key.push_back(size.constant().value_or(-1));
  }
  return key;
}

Result<std::vector<NamedValue>> run_session(Session::State& session, const std::vector<NamedValue>& given,
                                            const std::vector<std::string>& names, RunContext* context) {
  const TypedModel& model = session.engine->model();
  const Graph& graph = model.graph;
  std::vector<const Value*> inputs = TENON_TRY(match_inputs(session.inputs, model, given));
  OutputPlan asked;
  if (!names.empty()) asked = TENON_TRY(plan_outputs(*session.engine, names));
  std::vector<ValueType> types;
  for (size_t i = 0; i < inputs.size(); ++i)
    types.push_back(inputs[i] != nullptr ? ValueType::of(*inputs[i]) : graph.value(graph.inputs[i]).type);
  auto plan = TENON_TRY(session.plan_for(types));

  std::unique_ptr<RunState> run_state = session.take_run_state();
  run_state->begin(session.threads, context);
  auto values =
      execute(*session.engine, inputs, *plan, names.empty() ? session.default_outputs : asked, *run_state);
  session.give_back(std::move(run_state));
  if (!values.ok()) return std::move(values.error());

  const std::vector<std::string>& result_names = names.empty() ? session.output_names : names;
  std::vector<NamedValue> results;
  for (size_t i = 0; i < result_names.size(); ++i)
    results.push_back({result_names[i], std::move((*values)[i])});
  return results;
}

}  // namespace

Result<std::shared_ptr<const MemoryPlan>> Session::State::plan_for(const std::vector<ValueType>& types) {
  PlanKey key = key_of(types);
  {
    std::lock_guard lock(mutex_);
    auto found = std::find_if(plans_.begin(), plans_.end(), [&](const auto& p) { return p.first == key; });
    if (found != plans_.end()) {
      std::rotate(found, found + 1, plans_.end());
      return plans_.back().second;
    }
  }
  auto plan = TENON_TRY(plan_memory(engine->main(), types));
  std::lock_guard lock(mutex_);
  if (plans_.size() >= kMaxPlans) plans_.erase(plans_.begin());
  plans_.emplace_back(std::move(key), plan);
  return plan;
}

uint64_t Session::State::planned_bytes() {
  {
    std::lock_guard lock(mutex_);
    if (!plans_.empty()) return plans_.back().second->bytes;
  }
  std::vector<ValueType> types;
  const Graph& graph = engine->model().graph;
  for (ValueId id : graph.inputs) {
    types.push_back(graph.value(id).type);
    if (!types.back().shape || !constant_shape(*types.back().shape)) return 0;
  }
  auto plan = plan_for(types);
  return plan.ok() ? (*plan)->bytes : 0;
}

std::unique_ptr<RunState> Session::State::take_run_state() {
  std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<RunState>();
  std::unique_ptr<RunState> run_state = std::move(idle_.back());
  idle_.pop_back();
  return run_state;
}

void Session::State::give_back(std::unique_ptr<RunState> run_state) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(run_state));
}

// describe() converts by number.
static_assert(static_cast<int>(ValueDescription::Kind::kMap) == static_cast<int>(ValueType::Kind::kMap));

ValueDescription describe(const Graph& graph, ValueId id) {
  const GraphValue& value = graph.value(id);
  ValueDescription description;
  description.name = value.name;
  description.type = value.type.to_string();
  description.element = value.type.element;
  description.kind = static_cast<ValueDescription::Kind>(value.type.kind);
  description.has_default = value.constant.has_value();
  if (value.type.is_tensor() && value.type.shape) {
    description.shape.emplace();
    for (const SymInt& size : *value.type.shape) {
      Dimension& dimension = description.shape->emplace_back();
      dimension.size = size.constant();
      dimension.text = size.to_string();
    }
  }
  return description;
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

const std::vector<ValueDescription>& Session::inputs() const {
  return state_->inputs;
}
const std::vector<ValueDescription>& Session::outputs() const {
  return state_->outputs;
}
int Session::threads() const {
  return state_->threads;
}
const std::vector<std::string>& Session::warnings() const {
  return state_->engine->original().warnings;
}

std::optional<ValueDescription> Session::find_value(std::string_view name) const {
  Availability how = availability(*state_->engine, name);
  if (how == Availability::kUnknownName) return std::nullopt;
  const Graph& original = state_->engine->original().graph;
  const Graph& optimised = state_->engine->model().graph;
  ValueId id = original.find(name);
  ValueDescription description =
      id != kNoValue ? describe(original, id) : describe(optimised, optimised.find(name));
  description.recomputed = how == Availability::kRecomputed;
  return description;
}

std::vector<ValueDescription> Session::values() const {
  std::vector<ValueDescription> descriptions;
  const Graph& original = state_->engine->original().graph;
  for (size_t i = 0; i < original.value_count(); ++i) {
    auto id = ValueId{static_cast<uint32_t>(i)};
    ValueDescription description = describe(original, id);
    description.recomputed = availability(*state_->engine, description.name) == Availability::kRecomputed;
    descriptions.push_back(std::move(description));
  }
  std::sort(descriptions.begin(), descriptions.end(),
            [](const ValueDescription& a, const ValueDescription& b) { return a.name < b.name; });
  return descriptions;
}

MemoryReport Session::memory() const {
  return {state_->engine->weight_bytes(), state_->engine->packed_bytes(), state_->planned_bytes()};
}

Result<std::vector<NamedValue>> Session::run(const std::vector<NamedValue>& inputs,
                                             const std::vector<std::string>& outputs,
                                             RunContext* context) const {
  return guard_memory([&] { return run_session(*state_, inputs, outputs, context); },
                      "memory ran out during a run");
}

}  // namespace tenon
