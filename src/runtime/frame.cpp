#include "runtime/frame.h"

#include <new>

#include "base/thread_pool.h"
#include "tenon/memory.h"

namespace tenon {

namespace {

Status run_guarded(const ops::Kernel& kernel, ops::KernelContext& context) {
  try {
    return kernel.run(context);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kOutOfMemory, "its values do not fit into memory (at most {} MB)",
                memory_limit_bytes() / 1'000'000);
  }
}

}  // namespace

class Frame::Services final : public ops::RunServices {
 public:
  Services(Frame& frame, const ops::Region& region, bool planned)
      : frame_(frame), region_(region), planned_(planned) {
    frame_.state_.scratch().begin_step();
  }
  ~Services() override { frame_.state_.scratch().end_step(); }

  Tensor allocate_output(size_t i, DataType type, Shape shape) override {
    RunState& state = frame_.state_;
    if (planned_ && frame_.plan_ != nullptr && i < region_.outputs.size()) {
      const auto& slot = frame_.plan_->slots[index(region_.outputs[i])];
      // A view of what is made here may have another shape.
      if (slot && slot->type == type && element_count(slot->shape).value() == element_count(shape).value())
        return Tensor::view(type, std::move(shape), state.block() + slot->offset, state.block_owner());
    }
    if (planned_ && i < region_.outputs.size())
      if (const Tensor* to = frame_.destination(region_.outputs[i]))
        if (to->type() == type && to->shape() == shape)
          return Tensor::view(type, std::move(shape), to->raw(), to->owner());
    return Tensor::allocate(type, std::move(shape));
  }
  void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) override {
    tenon::parallel_for(frame_.state_.threads(), count, grain, body);
  }
  int threads() const override { return frame_.state_.threads(); }
  std::byte* scratch(size_t bytes) override { return frame_.state_.scratch().take(bytes); }
  Result<std::vector<Value>> run_subgraph(const Node& node, std::string_view attribute,
                                          std::vector<Value> inputs) override {
    const Graph* graph = node.subgraph(attribute);
    const EngineGraph* body = graph == nullptr ? nullptr : frame_.compiled_.body(graph);
    if (body == nullptr)
      return at_node(fail(ErrorCode::kInvalidModel, "the node has no body '{}'", attribute), node.name,
                     op_name(node.op));
    return run_body(*body, std::move(inputs), frame_);
  }
  uint64_t random_seed() override { return frame_.state_.next_random_seed(); }
  Status interrupted() override { return frame_.state_.interrupted(); }

 private:
  Frame& frame_;
  const ops::Region& region_;
  bool planned_;
};

Frame::Frame(const EngineGraph& compiled, const MemoryPlan* plan, RunState& state)
    : compiled_(compiled), plan_(plan), state_(state), memory_(state.take_frame()) {
  const size_t count = compiled.graph->value_count();
  memory_->values.assign(count, nullptr);
  memory_->owned.resize(count);
  for (size_t i = 0; i < count; ++i)
    if (compiled.is_constant(ValueId{static_cast<uint32_t>(i)})) memory_->values[i] = &compiled.constants[i];
}

Frame::~Frame() {
  for (Value& value : memory_->owned) value = Value();
  for (Value& value : memory_->outputs) value = Value();
  state_.give_back(std::move(memory_));
}

const Tensor* Frame::destination(ValueId id) const {
  for (const auto& [wanted, tensor] : destinations_)
    if (wanted == id) return tensor;
  return nullptr;
}

/// An output as it may stay: one that shares planned bytes without the plan's knowledge (an operator that
/// hands on its input) gets bytes of its own.
Value Frame::settled(Value value, ValueId id) const {
  if (plan_ == nullptr || state_.block() == nullptr) return value;
  if (value.is_tensor()) {
    const Tensor& tensor = value.tensor();
    if (!state_.owns(tensor) || plan_->views[index(id)]) return value;
    const auto& slot = plan_->slots[index(id)];
    if (slot && tensor.raw() == state_.block() + slot->offset && tensor.shape() == slot->shape &&
        tensor.type() == slot->type)
      return value;
  }
  return state_.detached(std::move(value));
}

Value Frame::plain(ValueId id) {
  const Value& value = *get(id);
  const StoredAs& stored = compiled_.stored[index(id)];
  return value.is_tensor() ? Value(plain_copy(stored, value.tensor(), state_.threads())) : value;
}

void Frame::own(ValueId id, Value value) {
  memory_->owned[index(id)] = std::move(value);
  bind(id, &memory_->owned[index(id)]);
}

Status Frame::run_step(size_t s) {
  TENON_TRY(state_.interrupted());
  const Step& step = compiled_.steps[s];
  const ops::Region& region = step.region;
  std::vector<const Value*>& inputs = memory_->inputs;
  inputs.clear();
  for (ValueId id : region.inputs) {
    if (get(id) == nullptr)
      return at_node(fail(ErrorCode::kInternal, "input '{}' is not there", compiled_.graph->value(id).name),
                     region.anchor_node().name, op_name(region.anchor_node().op));
    inputs.push_back(get(id));
  }
  std::vector<Value>& outputs = memory_->outputs;
  outputs.resize(region.outputs.size());
  {
    Services services(*this, region, true);
    ops::KernelContext context(region.anchor_node(), inputs, outputs, services);
    Status status = run_guarded(*step.kernel, context);
    if (!status.ok())
      return at_node(std::move(status.error()), region.anchor_node().name, op_name(region.anchor_node().op));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    own(region.outputs[i], settled(std::move(outputs[i]), region.outputs[i]));
  }
  return {};
}

void Frame::end_step(size_t s) {
  for (ValueId id : compiled_.steps[s].dies) {
    bind(id, nullptr);
    memory_->owned[index(id)] = Value();
  }
}

Result<std::vector<Value>> Frame::run_apart(const ops::Region& region, const ops::Kernel& kernel,
                                            std::span<const Value* const> inputs) {
  std::vector<Value> outputs(region.outputs.size());
  Services services(*this, region, false);
  ops::KernelContext context(region.anchor_node(), inputs, outputs, services);
  TENON_TRY(run_guarded(kernel, context));
  for (Value& output : outputs) output = state_.detached(std::move(output));
  return outputs;
}

Result<std::vector<Value>> run_body(const EngineGraph& body, std::vector<Value> inputs, Frame& outer) {
  const Graph& graph = *body.graph;
  if (inputs.size() != graph.inputs.size())
    return fail(ErrorCode::kInvalidModel, "body '{}' takes {} inputs, and {} were given", graph.name,
                graph.inputs.size(), inputs.size());
  Frame frame(body, nullptr, outer.state());
  for (size_t i = 0; i < inputs.size(); ++i) frame.bind(graph.inputs[i], &inputs[i]);
  for (const Capture& capture : graph.captures)
    if (outer.get(capture.outer) != nullptr) frame.own(capture.inner, outer.plain(capture.outer));
  for (size_t s = 0; s < body.steps.size(); ++s) {
    TENON_TRY(frame.run_step(s));
    frame.end_step(s);
  }
  std::vector<Value> outputs;
  for (ValueId id : graph.outputs) {
    if (frame.get(id) == nullptr)
      return fail(ErrorCode::kInternal, "output '{}' of body '{}' is not there", graph.value(id).name,
                  graph.name);
    outputs.push_back(frame.plain(id));
  }
  return outputs;
}

}  // namespace tenon
