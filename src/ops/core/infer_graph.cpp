// Runs the operators' shape rules over a graph: in place while a model is built (infer_node, infer_graph), or
// beside a graph that stays as it is (infer_with).
#include <atomic>
#include <functional>

#include "ops/core/builder.h"
#include "ops/core/registry.h"

namespace tenon::ops {

namespace {

// Symbols for dimensions that depend on data. Names only need to be different from each other and from the
// dimension names of models, which hold no '?'.
SymInt next_symbol() {
  static std::atomic<uint64_t> counter{0};
  return SymInt::symbol("?" + std::to_string(counter.fetch_add(1, std::memory_order_relaxed)));
}

constexpr int kMaxDepth = 64;

using FactsTable = std::vector<ValueFacts>;

Result<std::vector<ValueFacts>> run_rule(const Node& node, std::vector<const ValueFacts*> inputs,
                                         InferContext::SubgraphRule subgraphs) {
  const OpDef& def = op_def(node.op);
  InferContext context(node, std::move(inputs), next_symbol, std::move(subgraphs));
  Status status = def.infer(context);
  if (!status.ok()) return at_node(std::move(status.error()), node.name, def.name);
  return std::move(context.outputs());
}

ValueFacts facts_of(const Graph& graph, ValueId id) {
  const GraphValue& value = graph.value(id);
  const Tensor* constant = graph.constant(id);
  return {value.type, constant ? std::optional<Tensor>(*constant) : std::nullopt, value.elements};
}

// Keeps what was declared where the rule could not tell.
ValueType merged(ValueType inferred, const ValueType& declared) {
  if (inferred.kind == ValueType::Kind::kUnknown) return declared;
  if (!inferred.is_tensor() || !declared.is_tensor()) return inferred;
  if (inferred.element == DataType::kUndefined) inferred.element = declared.element;
  if (!inferred.shape) inferred.shape = declared.shape;
  return inferred;
}

void write_facts(Graph& graph, ValueId id, ValueFacts facts) {
  GraphValue& value = graph.value(id);
  value.type = merged(std::move(facts.type), value.type);
  value.elements = std::move(facts.elements);
}

Status infer_in_place(Graph& graph, const Node& node, int depth);

Status infer_all_in_place(Graph& graph, int depth) {
  for (const Node& node : graph.nodes) TENON_TRY(infer_in_place(graph, node, depth));
  return {};
}

Status infer_in_place(Graph& graph, const Node& node, int depth) {
  if (depth > kMaxDepth) return fail(ErrorCode::kLimit, "subgraphs are nested deeper than {}", kMaxDepth);
  std::vector<ValueFacts> facts(node.inputs.size());
  std::vector<const ValueFacts*> inputs(node.inputs.size(), nullptr);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    facts[i] = facts_of(graph, node.inputs[i]);
    inputs[i] = &facts[i];
  }
  auto subgraph_rule = [&](std::string_view attribute,
                           std::vector<ValueFacts> formals) -> Result<std::vector<ValueFacts>> {
    for (const auto& [key, body] : node.subgraphs) {
      if (key != attribute) continue;
      for (const Capture& capture : body->captures) {
        ValueFacts outer = facts_of(graph, capture.outer);
        GraphValue& inner = body->value(capture.inner);
        inner.type = outer.type;
        inner.elements = outer.elements;
        inner.constant = outer.constant;
      }
      for (size_t i = 0; i < formals.size() && i < body->inputs.size(); ++i)
        write_facts(*body, body->inputs[i], std::move(formals[i]));
      TENON_TRY(infer_all_in_place(*body, depth + 1));
      std::vector<ValueFacts> results;
      for (ValueId id : body->outputs) results.push_back(facts_of(*body, id));
      return results;
    }
    return fail(ErrorCode::kInvalidModel, "subgraph '{}' is missing", attribute);
  };
  auto outputs = TENON_TRY(run_rule(node, std::move(inputs), subgraph_rule));
  for (size_t i = 0; i < node.outputs.size(); ++i)
    if (node.outputs[i] != kNoValue) write_facts(graph, node.outputs[i], std::move(outputs[i]));
  return {};
}

Result<FactsTable> infer_beside(const Graph& graph, const std::vector<ValueFacts>& inputs,
                                const std::vector<ValueFacts>& captures, int depth) {
  if (depth > kMaxDepth) return fail(ErrorCode::kLimit, "subgraphs are nested deeper than {}", kMaxDepth);
  FactsTable table(graph.value_count());
  for (size_t i = 0; i < table.size(); ++i) table[i] = facts_of(graph, ValueId{static_cast<uint32_t>(i)});
  for (size_t i = 0; i < graph.captures.size() && i < captures.size(); ++i)
    table[index(graph.captures[i].inner)] = captures[i];
  for (size_t i = 0; i < graph.inputs.size() && i < inputs.size(); ++i) {
    ValueFacts& facts = table[index(graph.inputs[i])];
    facts.type = merged(inputs[i].type, facts.type);
    facts.constant = inputs[i].constant;
    facts.elements = inputs[i].elements;
  }
  for (const Node& node : graph.nodes) {
    std::vector<const ValueFacts*> arguments;
    for (ValueId id : node.inputs) arguments.push_back(id == kNoValue ? nullptr : &table[index(id)]);
    auto subgraph_rule = [&](std::string_view attribute,
                             std::vector<ValueFacts> formals) -> Result<std::vector<ValueFacts>> {
      const Graph* body = node.subgraph(attribute);
      if (!body) return fail(ErrorCode::kInvalidModel, "subgraph '{}' is missing", attribute);
      std::vector<ValueFacts> captured;
      for (const Capture& capture : body->captures) captured.push_back(table[index(capture.outer)]);
      FactsTable inner = TENON_TRY(infer_beside(*body, formals, captured, depth + 1));
      std::vector<ValueFacts> results;
      for (ValueId id : body->outputs) results.push_back(inner[index(id)]);
      return results;
    };
    auto outputs = TENON_TRY(run_rule(node, std::move(arguments), subgraph_rule));
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      ValueFacts& facts = table[index(node.outputs[i])];
      // A symbolic shape from when the model was read must not survive beside constant input shapes.
      ValueType declared = facts.type;
      if (outputs[i].type.is_tensor() && !outputs[i].type.shape) declared.shape.reset();
      facts = std::move(outputs[i]);
      facts.type = merged(std::move(facts.type), declared);
    }
  }
  return table;
}

}  // namespace

Status infer_graph(Graph& graph) {
  return infer_all_in_place(graph, 0);
}
Status infer_node(Graph& graph, const Node& node) {
  return infer_in_place(graph, node, 0);
}

Result<std::vector<ValueFacts>> infer_with(const Graph& graph, const std::vector<ValueFacts>& inputs,
                                           const std::vector<ValueFacts>& captures) {
  return infer_beside(graph, inputs, captures, 0);
}

}  // namespace tenon::ops
