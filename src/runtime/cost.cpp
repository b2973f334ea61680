#include "runtime/cost.h"

#include "ops/core/builder.h"
#include "ops/core/registry.h"

namespace tenon {

namespace {

using Facts = std::vector<ops::ValueFacts>;

/// The shape with every symbol taken as 1; nullopt when the rank is not known.
std::optional<Shape> plain_shape(const ValueType& type) {
  if (!type.is_tensor() || !type.shape) return std::nullopt;
  Shape shape;
  for (const SymInt& dim : *type.shape) {
    const SymInt plain = dim.substitute([](const std::string&) { return SymInt(1); });
    shape.push_back(plain.constant().value_or(1));
  }
  return shape;
}

int64_t elements(const Shape& shape) {
  auto count = element_count(shape);
  return count.ok() ? *count : 0;
}

uint64_t bytes_of(const ValueType& type) {
  auto shape = plain_shape(type);
  return shape ? static_cast<uint64_t>(elements(*shape)) * element_size(type.element) : 0;
}

int64_t macs_of(const Node& node, const Facts& facts) {
  auto shape_of = [&](const std::vector<ValueId>& ids, size_t i) -> std::optional<Shape> {
    if (i >= ids.size() || ids[i] == kNoValue) return std::nullopt;
    return plain_shape(facts[index(ids[i])].type);
  };
  const auto x = shape_of(node.inputs, 0), w = shape_of(node.inputs, 1), y = shape_of(node.outputs, 0);
  if (!x || !w || !y) return 0;
  switch (node.op) {
    case Op::kConv:  // each output element: one filter
      return w->empty() || (*w)[0] == 0 ? 0 : elements(*y) * (elements(*w) / (*w)[0]);
    case Op::kConvTranspose:  // each input element: its part of the filters
      return w->empty() || (*w)[0] == 0 ? 0 : elements(*x) * (elements(*w) / (*w)[0]);
    case Op::kMatMul:
      return x->empty() ? 0 : elements(*y) * x->back();
    case Op::kGemm:
      return x->size() != 2 ? 0 : elements(*y) * (*x)[node.attributes.integer("transA") != 0 ? 0 : 1];
    default:
      return 0;
  }
}

/// Why the step does not run by other rows for the engine's instruction set.
std::vector<LayerCost::Other> others_of(const Step& step, Isa isa) {
  std::vector<LayerCost::Other> others;
  bool after = false;  // behind the one that was taken
  for (const ops::KernelRow& row : ops::op_def(step.region.anchor_node().op).rows) {
    if (row.name == step.row) after = true;
    if (row.name == step.row || row.isa != isa) continue;
    const char* reason = after ? "comes after the one that was taken" : "its inputs come in another layout";
    if (!row.fits(step.region))
      reason = "does not fit";
    else if (row.error > 1)
      reason = "is less accurate, and runs where it is asked for by name";
    else if (row.pays != nullptr && !row.pays(step.region))
      reason = "was expected to take longer";
    others.push_back({std::string(row.name), reason});
  }
  return others;
}

LayerCost cost_of(const Step& step, const Facts& facts, Isa isa) {
  const Graph& graph = *step.region.graph;
  const Node& anchor = step.region.anchor_node();
  LayerCost cost;
  cost.node = anchor.name;
  cost.op = op_name(anchor.op);
  cost.kernel = step.row;
  cost.fused = step.region.nodes.size();
  cost.reorders = step.reorders;
  for (const kernels::PackedFloats& packed : step.packed) cost.packed_bytes += packed.bytes();
  for (const ops::KernelRow& row : ops::op_def(anchor.op).rows)
    if (row.name == step.row && row.work != nullptr) cost.work = row.work(step.region);
  cost.others = others_of(step, isa);
  if (anchor.provenance) cost.module_path = anchor.provenance->module_path;
  for (const Node* node : step.region.nodes) {
    cost.operators += (cost.operators.empty() ? "" : " + ") + std::string(op_name(node->op));
    cost.macs += macs_of(*node, facts);
    for (ValueId id : node->inputs)
      if (const Tensor* constant = id == kNoValue ? nullptr : graph.constant(id))
        cost.weight_bytes += constant->bytes();
  }
  for (ValueId id : step.region.inputs) cost.activation_bytes += bytes_of(facts[index(id)].type);
  for (ValueId id : step.region.outputs) cost.activation_bytes += bytes_of(facts[index(id)].type);
  if (!step.region.outputs.empty()) cost.output = facts[index(step.region.outputs[0])].type.to_string();
  return cost;
}

}  // namespace

Result<std::vector<LayerCost>> layer_costs(const Engine& engine) {
  const Graph& graph = *engine.main().graph;
  Facts inputs;
  for (ValueId id : graph.inputs) {
    ops::ValueFacts facts;
    facts.type = graph.value(id).type;
    if (auto shape = plain_shape(facts.type)) facts.type.shape = to_sym(*shape);
    inputs.push_back(std::move(facts));
  }
  const Facts facts = TENON_TRY(ops::infer_with(graph, inputs));
  std::vector<LayerCost> costs;
  for (const Step& step : engine.main().steps) costs.push_back(cost_of(step, facts, engine.options().isa));
  return costs;
}

}  // namespace tenon
