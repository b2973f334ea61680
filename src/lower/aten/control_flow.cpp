// Lowering of higher-order operators: cond, while_loop, scan and map become If, Loop and Scan.
#include <algorithm>

#include "lower/aten/families.h"

namespace tenon::lower {

namespace {

// The values that an operand list stands for: tensors, and numbers that may be symbolic.
Result<std::vector<ValueId>> operands_at(LowerContext& context, size_t position) {
  std::vector<ValueId> ids;
  if (position >= context.node().inputs.size()) return ids;
  const aten::Argument argument = TENON_TRY(context.args().at(position));
  if (const auto* list = argument.get<aten::TensorList>()) {
    for (const std::string& name : list->names) {
      if (name.empty()) return context.unsupported("an operand that is None");
      ids.push_back(TENON_TRY(context.lowering().value(name)));
    }
  } else if (const auto* items = argument.get<aten::SymIntList>()) {
    for (const auto& item : *items) ids.push_back(TENON_TRY(context.int_scalar(item)));
  } else if (const auto* numbers = argument.get<std::vector<int64_t>>()) {
    for (int64_t number : *numbers) ids.push_back(context.builder().constant(Tensor::scalar(number)));
  } else {
    return context.unsupported(fmt::format("operands that are a {}", aten::kind_name(argument)));
  }
  return ids;
}

Status bind_inputs(LowerContext& context, Lowering& scope, const aten::Graph& source,
                   const std::vector<ValueId>& values) {
  if (source.inputs.size() != values.size())
    return fail(ErrorCode::kInvalidModel, "a subgraph takes {} values and is given {}", source.inputs.size(),
                values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const aten::Argument& input = source.inputs[i];
    if (const auto* tensor = input.get<aten::TensorRef>())
      scope.bind(tensor->name, values[i]);
    else if (const auto* integer = input.get<aten::SymIntRef>())
      scope.bind(integer->name, values[i]);
    else if (const auto* real = input.get<aten::SymFloatRef>())
      scope.bind(real->name, values[i]);
    else if (const auto* truth = input.get<aten::SymBoolRef>())
      scope.bind(truth->name, values[i]);
    else if (input.get<int64_t>() == nullptr)
      return context.unsupported(fmt::format("a subgraph input that is a {}", aten::kind_name(input)));
  }
  return {};
}

// Runs a program's subgraph over values of `graph`, in a scope of names of its own.
Result<std::vector<ValueId>> inline_subgraph(LowerContext& context, Graph& graph, Lowering* parent,
                                             const aten::Graph& source, const std::vector<ValueId>& values) {
  Lowering scope(graph, parent);
  TENON_TRY(bind_inputs(context, scope, source, values));
  TENON_TRY(scope.run(source));
  std::vector<ValueId> results;
  for (const aten::Argument& output : source.outputs)
    results.push_back(TENON_TRY(scope.output_value(output)));
  return results;
}

// Captures the operands for use inside `graph`.
std::vector<ValueId> captured(LowerContext& context, Graph& graph, const std::vector<ValueId>& operands) {
  Lowering scope(graph, &context.lowering());
  std::vector<ValueId> inner;
  for (ValueId id : operands) inner.push_back(scope.capture(id));
  return inner;
}

// Makes the values outputs of the graph: each made by a node of it, and each once.
Status set_outputs(Graph& graph, const std::vector<ValueId>& results) {
  ops::GraphBuilder builder(graph);
  builder.set_origin("output", nullptr);
  for (ValueId id : results) {
    const bool made_here = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
      return std::find(node.outputs.begin(), node.outputs.end(), id) != node.outputs.end();
    });
    const bool repeated = std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end();
    graph.outputs.push_back(made_here && !repeated ? id : TENON_TRY(builder.add(Op::kIdentity, {id})));
  }
  return {};
}

Status finish_node(LowerContext& context, Node node, size_t outputs) {
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(context.builder().graph().add_value("result"));
  std::vector<ValueId> results = node.outputs;
  TENON_TRY(context.builder().add_node(std::move(node)));
  return context.finish(results);
}

// A condition as a bool of rank 0.
Result<ValueId> condition_of(Graph& graph, ValueId id) {
  ops::GraphBuilder builder(graph);
  builder.set_origin("condition", nullptr);
  if (builder.element(id) != DataType::kBool)
    id = TENON_TRY(builder.add(Op::kCast, {id}, {{"to", static_cast<int64_t>(DataType::kBool)}}));
  if (const SymShape* shape = builder.shape(id); shape != nullptr && !shape->empty())
    id = TENON_TRY(builder.add(Op::kReshape, {id, builder.constant_ints({})}));
  return id;
}

Status cond(LowerContext& context) {
  aten::Argument predicate = TENON_TRY(context.args().at(0));
  std::vector<ValueId> operands = TENON_TRY(operands_at(context, 3));
  ValueId condition = TENON_TRY(context.lowering().output_value(predicate));
  Node node;
  node.op = Op::kIf;
  node.inputs = {TENON_TRY(condition_of(context.builder().graph(), condition))};
  size_t outputs = 0;
  for (size_t position : {size_t{1}, size_t{2}}) {
    const aten::Graph& source = *TENON_TRY(context.args().graph(position));
    auto branch = std::make_shared<Graph>();
    branch->name = position == 1 ? "then" : "else";
    std::vector<ValueId> results = TENON_TRY(
        inline_subgraph(context, *branch, &context.lowering(), source, captured(context, *branch, operands)));
    TENON_TRY(set_outputs(*branch, results));
    outputs = results.size();
    node.subgraphs.emplace_back(position == 1 ? "then_branch" : "else_branch", std::move(branch));
  }
  return finish_node(context, std::move(node), outputs);
}

Status while_loop(LowerContext& context) {
  const aten::Graph& test = *TENON_TRY(context.args().graph(0));
  const aten::Graph& step = *TENON_TRY(context.args().graph(1));
  std::vector<ValueId> carried = TENON_TRY(operands_at(context, 2)),
                       fixed = TENON_TRY(operands_at(context, 3));
  Graph& outer = context.builder().graph();
  auto join = [](std::vector<ValueId> a, const std::vector<ValueId>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  // The condition is asked before the first trip, and at the end of each.
  std::vector<ValueId> first =
      TENON_TRY(inline_subgraph(context, outer, context.lowering().parent(), test, join(carried, fixed)));
  if (first.size() != 1) return context.unsupported("a condition of several values");

  auto body = std::make_shared<Graph>();
  body->name = "body";
  body->add_input("iteration", ValueType::tensor(DataType::kInt64, SymShape{}));
  body->add_input("condition_in", ValueType::tensor(DataType::kBool, SymShape{}));
  std::vector<ValueId> inner;
  for (ValueId id : carried) inner.push_back(body->add_input("carried", context.type(id)));
  std::vector<ValueId> inner_fixed = captured(context, *body, fixed);
  std::vector<ValueId> next =
      TENON_TRY(inline_subgraph(context, *body, &context.lowering(), step, join(inner, inner_fixed)));
  if (next.size() != carried.size())
    return context.unsupported("a body that gives other values than it takes");
  std::vector<ValueId> again =
      TENON_TRY(inline_subgraph(context, *body, &context.lowering(), test, join(next, inner_fixed)));
  std::vector<ValueId> results = {TENON_TRY(condition_of(*body, again[0]))};
  TENON_TRY(set_outputs(*body, join(std::move(results), next)));

  Node node;
  node.op = Op::kLoop;
  node.inputs = join({kNoValue, TENON_TRY(condition_of(outer, first[0]))}, carried);
  node.subgraphs.emplace_back("body", std::move(body));
  return finish_node(context, std::move(node), carried.size());
}

// A Scan over the first dimension of `slices`; `carried` may be empty.
Status scan_over(LowerContext& context, const aten::Graph& source, const std::vector<ValueId>& carried,
                 const std::vector<ValueId>& slices, const std::vector<ValueId>& fixed) {
  auto body = std::make_shared<Graph>();
  body->name = "body";
  std::vector<ValueId> inner;
  for (ValueId id : carried) inner.push_back(body->add_input("carried", context.type(id)));
  for (ValueId id : slices) {
    ValueType type = context.type(id);
    if (!type.shape || type.shape->empty())
      return context.unsupported("a scan over a tensor without dimensions");
    type.shape->erase(type.shape->begin());
    inner.push_back(body->add_input("slice", std::move(type)));
  }
  std::vector<ValueId> inner_fixed = captured(context, *body, fixed);
  inner.insert(inner.end(), inner_fixed.begin(), inner_fixed.end());
  std::vector<ValueId> results =
      TENON_TRY(inline_subgraph(context, *body, &context.lowering(), source, inner));
  TENON_TRY(set_outputs(*body, results));
  Node node;
  node.op = Op::kScan;
  node.attributes = {{"num_scan_inputs", static_cast<int64_t>(slices.size())}};
  node.inputs = carried;
  node.inputs.insert(node.inputs.end(), slices.begin(), slices.end());
  node.subgraphs.emplace_back("body", std::move(body));
  return finish_node(context, std::move(node), results.size());
}

Status scan(LowerContext& context) {
  return scan_over(context, *TENON_TRY(context.args().graph(0)), TENON_TRY(operands_at(context, 1)),
                   TENON_TRY(operands_at(context, 2)), TENON_TRY(operands_at(context, 3)));
}

Status map(LowerContext& context) {
  return scan_over(context, *TENON_TRY(context.args().graph(0)), {}, TENON_TRY(operands_at(context, 1)),
                   TENON_TRY(operands_at(context, 2)));
}

constexpr Handler kHandlers[] = {
    {"higher_order.cond", cond},
    {"higher_order.while_loop", while_loop},
    {"higher_order.scan", scan},
    {"higher_order.map_impl", map},
};

}  // namespace

std::span<const Handler> control_flow_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
