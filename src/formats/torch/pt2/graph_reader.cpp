#include "formats/torch/pt2/graph_reader.h"

#include "base/try.h"

namespace tenon::pt2 {

namespace {

// Of an expression's tree, for each character of its text: "a, " is the shortest operand.
constexpr size_t kTreeBytes = sizeof(aten::SymExpr) / 3;

// "torch.ops.aten.conv2d.default" without the part that all have.
std::string target_name(std::string target) {
  constexpr std::string_view kPrefix = "torch.ops.";
  if (target.compare(0, kPrefix.size(), kPrefix) == 0) target.erase(0, kPrefix.size());
  return target;
}

Result<aten::NodeOrigin> origin(const JsonObject& metadata) {
  aten::NodeOrigin result;
  for (auto [key, field] : {std::pair{"stack_trace", &aten::NodeOrigin::stack_trace},
                            std::pair{"nn_module_stack", &aten::NodeOrigin::nn_module_stack},
                            std::pair{"torch_fn", &aten::NodeOrigin::torch_fn}})
    if (auto value = metadata.find(key)) result.*field = TENON_TRY(json_string(*value, key));
  return result;
}

// The name of the first value that a node makes, for files that do not name nodes.
std::string first_output(const aten::Node& node) {
  std::string name;
  for (const aten::Argument& output : node.outputs)
    aten::for_each_name(output, [&](const std::string& value) {
      if (name.empty()) name = value;
    });
  return name;
}

}  // namespace

Status GraphReader::charge(size_t bytes) {
  if (bytes > budget_bytes_)
    return fail(ErrorCode::kLimit, "the program's symbolic expressions take more than {} bytes",
                kMaxExpressionBytes);
  budget_bytes_ -= bytes;
  return {};
}

Result<const GraphReader::Expression*> GraphReader::expression(const JsonObject& object) {
  std::string text = TENON_TRY(object.get_string("expr_str"));
  auto it = expressions_.find(text);
  if (it == expressions_.end()) {
    const size_t tree_bytes = text.size() * kTreeBytes;
    TENON_TRY(charge(tree_bytes));
    aten::SymExpr expr = TENON_TRY(aten::parse_srepr(text));
    size_t written_bytes = 0;
    auto as_int = aten::to_sym_int(expr, &written_bytes);
    TENON_TRY(charge(written_bytes));
    if (!as_int) as_int = SymInt::symbol(aten::to_string(expr));
    it = expressions_.emplace(std::move(text), Expression{std::move(expr), std::move(*as_int), tree_bytes})
             .first;
  }
  return &it->second;
}

Result<SymInt> GraphReader::sym_int(JsonValue value) {
  JsonUnion choice = TENON_TRY(json_union(value, "a size"));
  if (choice.tag == "as_int") return SymInt(TENON_TRY(json_int(choice.value, "a size")));
  if (choice.tag != "as_expr")
    return fail(ErrorCode::kMalformed, "JSON: a size has the unknown kind '{}'", choice.tag);
  return TENON_TRY(expression(TENON_TRY(JsonObject::of(choice.value, "a symbolic size"))))->as_int;
}

Result<SymShape> GraphReader::sym_ints(JsonValue value, std::string_view what) {
  return json_list<SymInt>(value, what, [&](JsonValue item) { return sym_int(item); });
}

Result<aten::SymValue> GraphReader::sym_value(JsonValue value, aten::SymValue::Kind kind) {
  JsonUnion choice = TENON_TRY(json_union(value, "a symbolic value"));
  aten::SymValue result;
  result.kind = kind;
  if (choice.tag == "as_expr") {
    JsonObject object = TENON_TRY(JsonObject::of(choice.value, "a symbolic value"));
    const Expression* known = TENON_TRY(expression(object));
    TENON_TRY(charge(known->tree_bytes));
    result.expr = known->expr;
    result.as_int = known->as_int;
    if (auto hint = object.find("hint")) {
      JsonUnion number = TENON_TRY(json_union(*hint, "a hint"));
      result.hint = number.tag == "as_bool" ? (TENON_TRY(json_bool(number.value, "a hint")) ? 1.0 : 0.0)
                                            : TENON_TRY(json_float(number.value, "a hint"));
    }
  } else if (choice.tag == "as_int") {
    int64_t number = TENON_TRY(json_int(choice.value, "a symbolic value"));
    result.expr = {.op = aten::SymOp::kInt, .int_value = number};
    result.as_int = number;
  } else if (choice.tag == "as_float") {
    result.expr = {.op = aten::SymOp::kFloat,
                   .float_value = TENON_TRY(json_float(choice.value, "a symbolic value"))};
  } else if (choice.tag == "as_bool") {
    result.expr = {.op = aten::SymOp::kBool,
                   .int_value = TENON_TRY(json_bool(choice.value, "a symbolic value"))};
  } else {
    return fail(ErrorCode::kMalformed, "JSON: a symbolic value has the unknown kind '{}'", choice.tag);
  }
  return result;
}

Result<aten::Node> GraphReader::node(JsonValue value) {
  JsonObject object = TENON_TRY(JsonObject::of(value, "a node"));
  aten::Node node;
  node.target = target_name(TENON_TRY(object.get_string("target")));
  if (object.find("name")) node.name = TENON_TRY(object.get_string("name"));
  for (JsonValue item : TENON_TRY(object.get_array("inputs"))) {
    JsonObject input = TENON_TRY(JsonObject::of(item, "a node's input"));
    aten::NamedArgument argument_;
    argument_.name = TENON_TRY(input.get_string("name"));
    auto read = argument(TENON_TRY(input.get("arg")));
    if (!read.ok()) return at_node(std::move(read.error()), node.name, node.target);
    argument_.value = std::move(*read);
    if (input.find("kind")) argument_.keyword = TENON_TRY(input.get_int("kind")) == 2;
    node.inputs.push_back(std::move(argument_));
  }
  for (JsonValue item : TENON_TRY(object.get_array("outputs"))) {
    auto read = argument(item);
    if (!read.ok()) return at_node(std::move(read.error()), node.name, node.target);
    node.outputs.push_back(std::move(*read));
  }
  if (node.name.empty()) node.name = first_output(node);
  if (object.find("metadata")) node.origin = TENON_TRY(origin(TENON_TRY(object.get_object("metadata"))));
  return node;
}

Result<aten::Graph> GraphReader::graph(JsonValue value) {
  using Kind = aten::SymValue::Kind;
  JsonObject object = TENON_TRY(JsonObject::of(value, "a graph"));
  aten::Graph graph;
  auto read_argument = [&](JsonValue item) { return argument(item); };
  graph.inputs =
      TENON_TRY(json_list<aten::Argument>(TENON_TRY(object.get("inputs")), "inputs", read_argument));
  graph.outputs =
      TENON_TRY(json_list<aten::Argument>(TENON_TRY(object.get("outputs")), "outputs", read_argument));
  graph.nodes = TENON_TRY(json_list<aten::Node>(TENON_TRY(object.get("nodes")), "nodes",
                                                [&](JsonValue item) { return node(item); }));
  JsonObject tensors = TENON_TRY(object.get_object("tensor_values"));
  graph.tensors.reserve(tensors.fields().size());
  for (const auto& [name, item] : tensors.fields()) {
    auto meta = tensor_meta(item);
    if (!meta.ok()) return at_node(std::move(meta.error()), name, "");
    graph.tensors.emplace(std::string(name), std::move(*meta));
  }
  for (auto [key, kind] : {std::pair{"sym_int_values", Kind::kInt}, std::pair{"sym_bool_values", Kind::kBool},
                           std::pair{"sym_float_values", Kind::kFloat}}) {
    if (!object.find(key)) continue;
    JsonObject symbols = TENON_TRY(object.get_object(key));
    for (const auto& [name, item] : symbols.fields()) {
      auto symbol = sym_value(item, kind);
      if (!symbol.ok()) return at_node(std::move(symbol.error()), name, "");
      graph.symbols.emplace(std::string(name), std::move(*symbol));
    }
  }
  return graph;
}

}  // namespace tenon::pt2
