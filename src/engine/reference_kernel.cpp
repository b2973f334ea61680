#include "engine/reference_kernel.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ops/core/registry.h"

namespace tenon {

namespace {

/// The services of a step as one of its nodes sees them: outputs that leave the region keep their planned
/// memory, those inside it live on the heap.
class NodeServices final : public ops::RunServices {
 public:
  NodeServices(ops::RunServices& step, std::span<const int> region_outputs)
      : step_(step), region_outputs_(region_outputs) {}

  Tensor allocate_output(size_t i, DataType type, Shape shape) override {
    if (i < region_outputs_.size() && region_outputs_[i] >= 0)
      return step_.allocate_output(static_cast<size_t>(region_outputs_[i]), type, std::move(shape));
    return Tensor::allocate(type, std::move(shape));
  }
  void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) override {
    step_.parallel_for(count, grain, body);
  }
  int threads() const override { return step_.threads(); }
  std::byte* scratch(size_t bytes) override { return step_.scratch(bytes); }
  Result<std::vector<Value>> run_subgraph(const Node& node, std::string_view attribute,
                                          std::vector<Value> inputs) override {
    return step_.run_subgraph(node, attribute, std::move(inputs));
  }
  uint64_t random_seed() override { return step_.random_seed(); }
  Status interrupted() override { return step_.interrupted(); }

 private:
  ops::RunServices& step_;
  std::span<const int> region_outputs_;
};

}  // namespace

Result<std::unique_ptr<ReferenceKernel>> ReferenceKernel::make(const ops::Region& region) {
  auto kernel = std::make_unique<ReferenceKernel>();
  const Graph& graph = *region.graph;
  std::unordered_map<ValueId, Slot> slots;
  for (size_t i = 0; i < region.inputs.size(); ++i) slots[region.inputs[i]] = {Slot::Kind::kInput, i};
  size_t locals = 0;
  for (const Node* node : region.nodes) {
    const ops::OpDef& def = ops::op_def(node->op);
    if (def.reference == nullptr)
      return at_node(fail(ErrorCode::kUnsupported, "the operator cannot be run"), node->name, def.name);
    NodePlan plan{node, def.reference, {}, {}};
    for (ValueId id : node->inputs) {
      if (id == kNoValue) {
        plan.inputs.push_back({});
        continue;
      }
      auto [slot, is_new] = slots.try_emplace(id);
      if (is_new) {
        const Tensor* constant = graph.constant(id);
        if (constant == nullptr)
          return at_node(fail(ErrorCode::kInternal, "value '{}' is not known here", graph.value(id).name),
                         node->name, def.name);
        slot->second = {Slot::Kind::kConstant, kernel->constants_.size()};
        kernel->constants_.emplace_back(*constant);
      }
      plan.inputs.push_back(slot->second);
    }
    for (ValueId id : node->outputs) {
      plan.outputs.push_back(id == kNoValue ? Slot{} : Slot{Slot::Kind::kLocal, locals});
      if (id == kNoValue) continue;
      slots[id] = {Slot::Kind::kLocal, locals++};
      auto output = std::find(region.outputs.begin(), region.outputs.end(), id);
      kernel->output_of_local_.push_back(
          output == region.outputs.end() ? -1 : static_cast<int>(output - region.outputs.begin()));
    }
    kernel->nodes_.push_back(std::move(plan));
  }
  return kernel;
}

Status ReferenceKernel::run(ops::KernelContext& context) const {
  InlineVector<Value, 4> locals(output_of_local_.size());
  InlineVector<const Value*, 8> inputs;
  InlineVector<Value, 4> outputs;
  InlineVector<int, 4> region_outputs;
  for (const NodePlan& plan : nodes_) {
    inputs.clear();
    for (const Slot& slot : plan.inputs) {
      switch (slot.kind) {
        case Slot::Kind::kNone:
          inputs.push_back(nullptr);
          break;
        case Slot::Kind::kInput:
          inputs.push_back(&context.value(slot.index));
          break;
        case Slot::Kind::kConstant:
          inputs.push_back(&constants_[slot.index]);
          break;
        case Slot::Kind::kLocal:
          inputs.push_back(&locals[slot.index]);
          break;
      }
    }
    outputs.assign(plan.outputs.size(), Value());
    region_outputs.clear();
    for (const Slot& slot : plan.outputs)
      region_outputs.push_back(slot.kind == Slot::Kind::kLocal ? output_of_local_[slot.index] : -1);
    NodeServices services(context.services(), region_outputs);
    ops::KernelContext node_context(*plan.node, inputs, outputs, services);
    Status status = plan.reference(node_context);
    if (!status.ok()) return at_node(std::move(status.error()), plan.node->name, op_name(plan.node->op));
    for (size_t i = 0; i < plan.outputs.size(); ++i) {
      if (plan.outputs[i].kind != Slot::Kind::kLocal) continue;
      locals[plan.outputs[i].index] = std::move(outputs[i]);
    }
  }
  for (size_t i = 0; i < locals.size(); ++i)
    if (output_of_local_[i] >= 0)
      context.set_output(static_cast<size_t>(output_of_local_[i]), std::move(locals[i]));
  return {};
}

ops::Region make_region(const Graph& graph, std::vector<const Node*> nodes, size_t anchor,
                        std::vector<ValueId> outputs) {
  ops::Region region;
  region.graph = &graph;
  region.anchor = anchor;
  region.outputs = std::move(outputs);
  std::unordered_set<ValueId> known{kNoValue};
  auto use = [&](ValueId id) {
    if (known.insert(id).second && graph.constant(id) == nullptr) region.inputs.push_back(id);
  };
  for (const Node* node : nodes) {
    for (ValueId id : node->inputs) use(id);
    for (const auto& [attribute, body] : node->subgraphs)
      for (const Capture& capture : body->captures) use(capture.outer);
    for (ValueId id : node->outputs) known.insert(id);
  }
  region.nodes = std::move(nodes);
  return region;
}

}  // namespace tenon
