#include "runtime/executor.h"

#include <cstring>
#include <new>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "runtime/frame.h"
#include "tenon/memory.h"

namespace tenon {

namespace {

/// Values inside a fused step, from the step's inputs.
Status run_recomputed(const OutputPlan::Recomputed& part, Frame& frame, std::vector<Value>& slots) {
  std::vector<const Value*> inputs;
  std::vector<Value> values;
  for (ValueId id : part.region.inputs) values.push_back(frame.plain(id));
  for (const Value& value : values) inputs.push_back(&value);
  auto outputs = TENON_TRY(frame.run_apart(part.region, *part.kernel, inputs));
  for (size_t i = 0; i < outputs.size(); ++i) slots[part.output_slots[i]] = std::move(outputs[i]);
  return {};
}

/// Values that passes removed, from slots that are filled by now.
Status run_derived(const OutputPlan::Derived& part, Frame& frame, std::vector<Value>& slots) {
  std::vector<const Value*> inputs;
  for (size_t slot : part.input_slots) inputs.push_back(&slots[slot]);
  auto outputs = TENON_TRY(frame.run_apart(part.region, *part.kernel, inputs));
  for (size_t i = 0; i < outputs.size(); ++i) slots[part.output_slots[i]] = std::move(outputs[i]);
  return {};
}

/// Says which value asks for the most.
Error out_of_memory(const Graph& graph, const MemoryPlan& plan) {
  size_t largest = 0;
  const GraphValue* culprit = nullptr;
  const Node* maker = nullptr;
  for (const Node& node : graph.nodes) {
    for (ValueId id : node.outputs) {
      if (id == kNoValue || !plan.slots[index(id)]) continue;
      const auto& slot = *plan.slots[index(id)];
      const size_t bytes = static_cast<size_t>(element_count(slot.shape).value()) * element_size(slot.type);
      if (bytes <= largest) continue;
      largest = bytes;
      culprit = &graph.value(id);
      maker = &node;
    }
  }
  Error error = fail(ErrorCode::kOutOfMemory, "the values of a run take {} MB, and memory has {} MB",
                     plan.bytes / 1'000'000, memory_limit_bytes() / 1'000'000);
  if (culprit == nullptr) return error;
  error.message += fmt::format(" ('{}' takes {} MB)", culprit->name, largest / 1'000'000);
  return at_node(std::move(error), maker->name, op_name(maker->op));
}

bool is_like(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() && a.shape() == b.shape() && !a.is_string();
}

/// The tensor that a result brings for the value of a slot, or null.
const Tensor* destination_of(const OutputPlan& wanted, std::span<Value* const> results, size_t slot) {
  for (size_t i = 0; i < results.size(); ++i)
    if (wanted.results[i] == slot && results[i]->is_tensor() && results[i]->tensor().defined())
      return &results[i]->tensor();
  return nullptr;
}

/// A value that is there now, as it may outlive the run: in its destination where the tensors are alike.
Value taken_value(Frame& frame, const OutputPlan::Taken& taken, const Tensor* destination) {
  const Value& value = *frame.get(taken.id);
  const StoredAs& stored = frame.compiled().stored[index(taken.id)];
  if (destination == nullptr || !value.is_tensor() ||
      plain_shape(stored, value.tensor().shape()) != destination->shape() ||
      value.tensor().type() != destination->type() || destination->is_string())
    return frame.state().detached(frame.plain(taken.id));
  Tensor to = *destination;
  if (stored.layout != ops::Layout::kPlain)
    plain_copy_into(stored, value.tensor(), to, frame.state().threads());
  else if (to.raw() != value.tensor().raw())
    std::memcpy(to.mutable_raw(), value.tensor().raw(), to.bytes());
  return to;
}

/// Hands a value on; into the tensor that the result brings where they are alike.
void put(const Value& value, Value& result) {
  if (value.is_tensor() && result.is_tensor() && result.tensor().defined() &&
      is_like(value.tensor(), result.tensor())) {
    if (result.tensor().raw() != value.tensor().raw())
      std::memcpy(result.tensor().mutable_raw(), value.tensor().raw(), value.tensor().bytes());
    return;
  }
  result = value;
}

}  // namespace

Status execute(const Engine& engine, std::span<const Value* const> inputs, const MemoryPlan& plan,
               const OutputPlan& wanted, RunState& state, std::span<Value* const> results) {
  const EngineGraph& compiled = engine.main();
  const Graph& graph = *compiled.graph;
  try {
    state.reserve(plan.bytes);
  } catch (const std::bad_alloc&) {
    return out_of_memory(graph, plan);
  }
  Frame frame(compiled, &plan, state);
  const ThreadPool::Run run;  // its threads stay awake between steps
  std::vector<Value>& defaults = state.buffers.defaults;
  defaults.resize(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr && graph.value(graph.inputs[i]).constant)
      defaults[i] = *graph.value(graph.inputs[i]).constant;
    frame.bind(graph.inputs[i], inputs[i] != nullptr ? inputs[i] : &defaults[i]);
  }

  for (const OutputPlan::Taken& part : wanted.taken)
    if (const Tensor* to = destination_of(wanted, results, part.slot)) frame.write_into(part.id, to);
  std::vector<Value>& slots = state.buffers.slots;
  slots.assign(wanted.slot_count, Value());
  auto taken = wanted.taken.begin();
  auto recomputed = wanted.recomputed.begin();
  auto take = [&](int step) -> Status {
    for (; taken != wanted.taken.end() && taken->step == step; ++taken) {
      if (frame.get(taken->id) == nullptr)
        return fail(ErrorCode::kInternal, "value '{}' is not there", graph.value(taken->id).name);
      slots[taken->slot] = taken_value(frame, *taken, destination_of(wanted, results, taken->slot));
    }
    return {};
  };
  TENON_TRY(take(-1));
  RunContext* context = state.context();
  bool profiling = context != nullptr && context->profiling();
  for (size_t s = 0; s < compiled.steps.size(); ++s) {
    if (context != nullptr) tell(context->progress(), "steps run", s, compiled.steps.size());
    for (; recomputed != wanted.recomputed.end() && recomputed->step == static_cast<int>(s); ++recomputed)
      TENON_TRY(run_recomputed(*recomputed, frame, slots));
    auto begin = profiling ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
    TENON_TRY(frame.run_step(s));
    if (profiling) {
      std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
      const Step& step = compiled.steps[s];
      const Node& anchor = step.region.anchor_node();
      context->profile().push_back({anchor.name, op_name(anchor.op), step.row, time.count()});
    }
    TENON_TRY(take(static_cast<int>(s)));
    frame.end_step(s);
  }
  for (const OutputPlan::Derived& part : wanted.derived) TENON_TRY(run_derived(part, frame, slots));
  for (size_t i = 0; i < results.size(); ++i) put(slots[wanted.results[i]], *results[i]);
  for (Value& value : slots) value = Value();
  for (Value& value : defaults) value = Value();
  return {};
}

}  // namespace tenon
