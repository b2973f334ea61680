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

void add_key(const ValueType& type, std::vector<int64_t>& key) {
  key.push_back(static_cast<int64_t>(type.kind) * 64 + static_cast<int64_t>(type.element));
  key.push_back(type.shape ? static_cast<int64_t>(type.shape->size()) : -1);
  if (!type.shape) return;
  for (const SymInt& size : *type.shape) key.push_back(size.constant().value_or(-1));
}

/// As add_key of the tensor's type.
void add_key(const Tensor& tensor, std::vector<int64_t>& key) {
  key.push_back(static_cast<int64_t>(ValueType::Kind::kTensor) * 64 + static_cast<int64_t>(tensor.type()));
  key.push_back(tensor.rank());
  key.insert(key.end(), tensor.shape().begin(), tensor.shape().end());
}

std::vector<ValueType> types_of(const std::vector<const Value*>& inputs, const Graph& graph) {
  std::vector<ValueType> types;
  for (size_t i = 0; i < inputs.size(); ++i)
    types.push_back(inputs[i] != nullptr ? ValueType::of(*inputs[i]) : graph.value(graph.inputs[i]).type);
  return types;
}

/// A RunState for one run, given back at its end.
class BorrowedState {
 public:
  explicit BorrowedState(Session::State& session) : session_(session), state_(session.take_run_state()) {}
  ~BorrowedState() { session_.give_back(std::move(state_)); }
  RunState& operator*() { return *state_; }
  RunState* operator->() { return state_.get(); }

 private:
  Session::State& session_;
  std::unique_ptr<RunState> state_;
};

/// `asked` is null for the model's outputs.
Status run_session(Session::State& session, std::span<const NamedValue> given, const OutputPlan* asked,
                   std::span<Value* const> results, RunContext* context) {
  const TypedModel& model = session.engine->model();
  const Graph& graph = model.graph;
  BorrowedState state(session);
  std::vector<const Value*>& inputs = state->buffers.inputs;
  TENON_TRY(name_inputs(session.inputs, model, given, inputs));
  std::vector<int64_t>& key = state->buffers.key;
  key.clear();
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] != nullptr && inputs[i]->is_tensor())
      add_key(inputs[i]->tensor(), key);
    else
      add_key(inputs[i] != nullptr ? ValueType::of(*inputs[i]) : graph.value(graph.inputs[i]).type, key);
  }
  auto plan = session.find_plan(key);
  if (plan == nullptr) {  // no inputs of these sizes before
    TENON_TRY(check_input_sizes(model, inputs));
    plan = TENON_TRY(session.make_plan(key, types_of(inputs, graph)));
  }
  state->begin(session.threads, context);
  return execute(*session.engine, inputs, *plan, asked != nullptr ? *asked : session.default_outputs, *state,
                 results);
}

}  // namespace

std::shared_ptr<const MemoryPlan> Session::State::find_plan(const std::vector<int64_t>& key) {
  std::lock_guard lock(mutex_);
  auto found = std::find_if(plans_.begin(), plans_.end(), [&](const auto& p) { return p.first == key; });
  if (found == plans_.end()) return nullptr;
  std::rotate(found, found + 1, plans_.end());
  return plans_.back().second;
}

Result<std::shared_ptr<const MemoryPlan>> Session::State::make_plan(const std::vector<int64_t>& key,
                                                                    const std::vector<ValueType>& types) {
  auto plan = TENON_TRY(plan_memory(engine->main(), types));
  std::lock_guard lock(mutex_);
  if (plans_.size() >= kMaxPlans) plans_.erase(plans_.begin());
  plans_.emplace_back(key, plan);
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
  std::vector<int64_t> key;
  for (const ValueType& type : types) add_key(type, key);
  auto plan = make_plan(key, types);
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
  const auto run = [&]() -> Result<std::vector<NamedValue>> {
    OutputPlan asked;
    if (!outputs.empty()) asked = TENON_TRY(plan_outputs(*state_->engine, outputs));
    std::vector<NamedValue> results;
    std::vector<Value*> values;
    for (const std::string& name : outputs.empty() ? state_->output_names : outputs)
      results.push_back({name, {}});
    for (NamedValue& result : results) values.push_back(&result.value);
    TENON_TRY(run_session(*state_, inputs, outputs.empty() ? nullptr : &asked, values, context));
    return results;
  };
  return guard_memory(run, "memory ran out during a run");
}

Status Session::run_into(std::span<const NamedValue> inputs, std::span<NamedValue> outputs,
                         RunContext* context) const {
  const auto run = [&]() -> Status {
    InlineVector<Value*, 8> values;
    for (NamedValue& output : outputs) values.push_back(&output.value);
    if (std::ranges::equal(outputs, state_->output_names, {}, &NamedValue::name))
      return run_session(*state_, inputs, nullptr, values, context);
    std::vector<std::string> names;
    for (const NamedValue& output : outputs) names.push_back(output.name);
    const OutputPlan asked = TENON_TRY(plan_outputs(*state_->engine, names));
    return run_session(*state_, inputs, &asked, values, context);
  };
  return guard_memory(run, "memory ran out during a run");
}

}  // namespace tenon
