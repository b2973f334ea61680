#include "align/widen.h"

#include "ops/core/builder.h"
#include "ops/core/registry.h"
#include "tensor/element.h"

namespace tenon::alignment {

namespace {

constexpr int kMaxDepth = 64;

Tensor to_type(const Tensor& tensor, DataType type) {
  if (!is_float(tensor.type()) || tensor.type() == type) return tensor;
  Tensor result = Tensor::allocate(type, tensor.shape());
  const std::vector<double> elements = to_doubles(tensor);
  store_elements<double>(type, result.mutable_raw(), 0, result.size(), elements.data());
  return result;
}

ValueType wide(ValueType type) {
  if (type.is_tensor() && is_float(type.element)) type.element = DataType::kFloat64;
  if (type.inner) type.inner = std::make_shared<const ValueType>(wide(*type.inner));
  return type;
}

/// Attributes that say of which type an output is ("to", "dtype", "output_dtype", "stash_type") or hold
/// elements.
void widen_attributes(Node& node) {
  if (node.op == Op::kBitCast) return;
  Attributes wider = node.attributes;
  for (const auto& [name, value] : node.attributes) {
    if (const auto* tensor = std::get_if<Tensor>(&value))
      wider.set(name, to_type(*tensor, DataType::kFloat64));
    const auto* number = std::get_if<int64_t>(&value);
    const bool is_type = name == "to" || name == "dtype" || name == "output_dtype" || name == "stash_type" ||
                         name == "softmax_precision";
    if (number != nullptr && is_type && *number > 0 && *number < kDataTypeCount &&
        is_float(static_cast<DataType>(*number)))
      wider.set(name, static_cast<int64_t>(DataType::kFloat64));
  }
  node.attributes = std::move(wider);
}

class Widener {
 public:
  explicit Widener(const Graph& narrow) : narrow_(narrow), graph_(narrow) {}

  Result<WideGraph> run(int depth) {
    if (depth > kMaxDepth)
      return fail(ErrorCode::kLimit, "control flow is nested more than {} deep", kMaxDepth);
    for (size_t i = 0; i < graph_.value_count(); ++i) {
      GraphValue& value = graph_.value(ValueId{static_cast<uint32_t>(i)});
      value.type = wide(value.type);
      if (value.constant) value.constant = to_type(*value.constant, DataType::kFloat64);
    }
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    std::vector<size_t> first = {0};
    for (Node& node : nodes) {
      widen_attributes(node);
      for (auto& [attribute, body] : node.subgraphs)
        body = std::make_shared<Graph>(TENON_TRY(Widener(*body).run(depth + 1)).graph);
      const ops::Schema& schema = ops::newest_schema(node.op);
      for (size_t i = 0; i < node.inputs.size(); ++i) narrow_input(schema, node, i);
      std::vector<Node> after;
      for (size_t i = 0; i < node.outputs.size(); ++i) widen_output(schema, node, i, after);
      graph_.nodes.push_back(std::move(node));
      for (Node& cast : after) graph_.nodes.push_back(std::move(cast));
      first.push_back(graph_.nodes.size());
    }
    return WideGraph{std::move(graph_), std::move(first)};
  }

 private:
  /// Whether a value of the model as it was is a floating point tensor in a parameter that takes no float64.
  bool is_narrow_only(Op op, const ops::SchemaParameter* parameter, ValueId id) const {
    if (parameter == nullptr || id == kNoValue || index(id) >= narrow_.value_count()) return false;
    const ValueType& type = narrow_.value(id).type;
    if (!type.is_tensor() || !is_float(type.element) || type.element == DataType::kFloat64) return false;
    if (op == Op::kBitCast) return true;  // bits mean something in their own type only
    return !parameter->types.has_tensor(DataType::kFloat64) && parameter->types.has_tensor(type.element);
  }

  Node cast(const Node& owner, ValueId from, ValueId to, DataType type) {
    Node node;
    node.op = Op::kCast;
    node.name = owner.name + "/cast";
    node.inputs = {from};
    node.outputs = {to};
    node.attributes = {
        {"to", static_cast<int64_t>(type)}, {"saturate", int64_t{1}}, {"round_mode", std::string("up")}};
    node.provenance = owner.provenance;
    return node;
  }

  void narrow_input(const ops::Schema& schema, Node& node, size_t i) {
    const ValueId id = node.inputs[i];
    if (!is_narrow_only(node.op, schema.input(i), id)) return;
    const GraphValue& original = narrow_.value(id);
    if (original.constant && !narrow_.is_input(id)) {
      node.inputs[i] = graph_.add_constant(original.name + "/narrow", *original.constant);
      return;
    }
    node.inputs[i] = graph_.add_value(original.name + "/narrow", original.type);
    graph_.nodes.push_back(cast(node, id, node.inputs[i], original.type.element));
  }

  void widen_output(const ops::Schema& schema, Node& node, size_t i, std::vector<Node>& after) {
    const ValueId id = node.outputs[i];
    if (!is_narrow_only(node.op, schema.output(i), id)) return;
    const GraphValue& original = narrow_.value(id);
    node.outputs[i] = graph_.add_value(original.name + "/narrow", original.type);
    after.push_back(cast(node, node.outputs[i], id, DataType::kFloat64));
  }

  const Graph& narrow_;
  Graph graph_;
};

}  // namespace

Result<WideGraph> widen(const Graph& graph) {
  return Widener(graph).run(0);
}

Value widened(const Value& value) {
  if (value.is_tensor()) return to_type(value.tensor(), DataType::kFloat64);
  if (value.is_sequence()) {
    Sequence result = value.sequence();
    if (is_float(result.element_type)) result.element_type = DataType::kFloat64;
    for (Value& item : result.items) item = widened(item);
    return result;
  }
  if (value.is_optional() && value.optional().value)
    return Optional{std::make_shared<Value>(widened(*value.optional().value))};
  return value;
}

Value narrowed(const Value& value, DataType type) {
  return value.is_tensor() && is_float(type) ? Value(to_type(value.tensor(), type)) : value;
}

}  // namespace tenon::alignment
