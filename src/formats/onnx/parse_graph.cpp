// AttributeProto, NodeProto and GraphProto.
#include <array>
#include <bit>

#include "formats/onnx/parse.h"

namespace tenon::onnx {

namespace {

using wire::Field;
using wire::WireType;

constexpr std::array<std::string_view, 15> kKindNames = {
    "no type", "FLOAT",   "INT",    "STRING",        "TENSOR",         "GRAPH",      "FLOATS",     "INTS",
    "STRINGS", "TENSORS", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};

/// The alternative T of the attribute's value; an error when it holds another one already, or when a field
/// that cannot repeat does.
template <class T>
Result<T*> alternative(Attribute& attribute, bool repeats) {
  if (std::holds_alternative<std::monostate>(attribute.value)) return &attribute.value.template emplace<T>();
  T* value = std::get_if<T>(&attribute.value);
  if (value == nullptr || !repeats)
    return fail(ErrorCode::kMalformed, "attribute \"{}\" has more than one value", attribute.name);
  return value;
}

template <class T, class Parse>
Status set_message(ParseContext& context, Attribute& attribute, const Field& field, Parse parse) {
  T* value = TENON_TRY(alternative<T>(attribute, false));
  *value = TENON_TRY(parse(context, field));
  return {};
}

template <class T, class Parse>
Status append_message(ParseContext& context, Attribute& attribute, const Field& field, Parse parse) {
  auto* values = TENON_TRY(alternative<std::vector<T>>(attribute, true));
  TENON_TRY(context.charge(sizeof(T)));
  values->push_back(TENON_TRY(parse(context, field)));
  return {};
}

Result<Attribute::GraphPtr> parse_subgraph(ParseContext& context, const wire::Field& message) {
  if (context.graph_depth == kSubgraphDepthMax)
    return fail(ErrorCode::kLimit, "subgraphs are nested deeper than {} levels", kSubgraphDepthMax);
  ++context.graph_depth;
  TENON_TRY(context.charge(sizeof(Graph)));
  auto graph = std::make_shared<Graph>(TENON_TRY(parse_graph(context, message)));
  --context.graph_depth;
  return graph;
}

Status parse_attribute_value(ParseContext& context, const Field& field, Attribute& attribute) {
  switch (field.number) {
    case 2:
      if (field.type != WireType::kFixed32) return context.wrong_type(field);
      *TENON_TRY(alternative<float>(attribute, false)) =
          std::bit_cast<float>(static_cast<uint32_t>(field.value));
      return {};
    case 3:
      if (field.type != WireType::kVarint) return context.wrong_type(field);
      *TENON_TRY(alternative<int64_t>(attribute, false)) = field.integer();
      return {};
    case 4:
      return context.text(field, *TENON_TRY(alternative<std::string>(attribute, false)));
    case 5:
      return set_message<TensorData>(context, attribute, field, parse_tensor);
    case 6:
      return set_message<Attribute::GraphPtr>(context, attribute, field, parse_subgraph);
    case 7:
      return context.append_floats(field, *TENON_TRY(alternative<Attribute::Floats>(attribute, true)));
    case 8:
      return context.append_integers(field, *TENON_TRY(alternative<Attribute::Ints>(attribute, true)));
    case 9:
      return context.append_text(field, *TENON_TRY(alternative<Attribute::Strings>(attribute, true)));
    case 10:
      return append_message<TensorData>(context, attribute, field, parse_tensor);
    case 11:
      return append_message<Attribute::GraphPtr>(context, attribute, field, parse_subgraph);
    case 14:
      return set_message<Type>(context, attribute, field,
                               [](ParseContext& c, const Field& m) { return parse_type(c, m); });
    case 15:
      return append_message<Type>(context, attribute, field,
                                  [](ParseContext& c, const Field& m) { return parse_type(c, m); });
    case 22:
      return set_message<SparseTensorData>(context, attribute, field, parse_sparse_tensor);
    case 23:
      return append_message<SparseTensorData>(context, attribute, field, parse_sparse_tensor);
    default:
      return context.keep(field, attribute.unknown);
  }
}

/// Gives an attribute without a value the default of its type, and one without a type that of its value.
Status settle_kind(Attribute& attribute, std::optional<int64_t> type) {
  const auto value_kind = static_cast<int64_t>(attribute.value.index());
  if (!type) {
    attribute.kind = static_cast<Attribute::Kind>(value_kind);
    attribute.kind_omitted = true;
    return {};
  }
  if (*type < 0 || *type >= static_cast<int64_t>(kKindNames.size()))
    return fail(ErrorCode::kInvalidModel, "attribute \"{}\" is of the unknown type {}", attribute.name,
                *type);
  attribute.kind = static_cast<Attribute::Kind>(*type);
  if (value_kind == *type || !attribute.ref_attr_name.empty()) return {};
  if (value_kind != 0) {
    return fail(ErrorCode::kInvalidModel, "attribute \"{}\" says it is {} and holds {}", attribute.name,
                kKindNames[static_cast<size_t>(*type)], kKindNames[static_cast<size_t>(value_kind)]);
  }
  attribute.value_omitted = true;
  switch (attribute.kind) {
    case Attribute::Kind::kFloat:
      attribute.value = 0.0f;
      return {};
    case Attribute::Kind::kInt:
      attribute.value = int64_t{0};
      return {};
    case Attribute::Kind::kString:
      attribute.value = std::string();
      return {};
    case Attribute::Kind::kFloats:
      attribute.value = Attribute::Floats();
      return {};
    case Attribute::Kind::kInts:
      attribute.value = Attribute::Ints();
      return {};
    case Attribute::Kind::kStrings:
      attribute.value = Attribute::Strings();
      return {};
    case Attribute::Kind::kTensors:
      attribute.value = std::vector<TensorData>();
      return {};
    case Attribute::Kind::kGraphs:
      attribute.value = std::vector<Attribute::GraphPtr>();
      return {};
    case Attribute::Kind::kSparseTensors:
      attribute.value = std::vector<SparseTensorData>();
      return {};
    case Attribute::Kind::kTypeProtos:
      attribute.value = std::vector<Type>();
      return {};
    default:
      return fail(ErrorCode::kInvalidModel, "attribute \"{}\" is {} and has no value", attribute.name,
                  kKindNames[static_cast<size_t>(*type)]);
  }
}

}  // namespace

Result<Attribute> parse_attribute(ParseContext& context, const wire::Field& message) {
  TENON_TRY(context.charge(sizeof(Attribute)));
  Attribute attribute;
  std::optional<int64_t> type;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    switch (field.number) {
      case 1:
        TENON_TRY(context.text(field, attribute.name, attribute.present));
        break;
      case 13:
        TENON_TRY(context.text(field, attribute.doc_string, attribute.present));
        break;
      case 20:
        if (field.type != WireType::kVarint) return context.wrong_type(field);
        type = field.integer();
        break;
      case 21:
        TENON_TRY(context.text(field, attribute.ref_attr_name, attribute.present));
        break;
      default:
        TENON_TRY(parse_attribute_value(context, field, attribute));
    }
  }
  TENON_TRY(settle_kind(attribute, type));
  return attribute;
}

namespace {

Status parse_node_fields(ParseContext& context, const wire::Field& message, Node& node) {
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    switch (field.number) {
      case 1:
        TENON_TRY(context.append_text(field, node.inputs));
        break;
      case 2:
        TENON_TRY(context.append_text(field, node.outputs));
        break;
      case 3:
        TENON_TRY(context.text(field, node.name, node.present));
        break;
      case 4:
        TENON_TRY(context.text(field, node.op_type, node.present));
        break;
      case 5:
        node.attributes.push_back(TENON_TRY(parse_attribute(context, field)));
        break;
      case 6:
        TENON_TRY(context.text(field, node.doc_string, node.present));
        break;
      case 7:
        TENON_TRY(context.text(field, node.domain, node.present));
        break;
      case 8:
        TENON_TRY(context.text(field, node.overload, node.present));
        break;
      case 9:
        TENON_TRY(context.append_pair(field, node.metadata_props));
        break;
      default:
        TENON_TRY(context.keep(field, node.unknown));
    }
  }
  return {};
}

/// TensorAnnotation.
Status parse_annotation(ParseContext& context, const Field& field, Graph& graph) {
  TENON_TRY(context.charge(sizeof(graph.quantization_annotations[0])));
  auto& [tensor_name, pairs] = graph.quantization_annotations.emplace_back();
  wire::Reader reader = TENON_TRY(context.reader(field));
  Field part;
  while (TENON_TRY(reader.next(part))) {
    if (part.number == 1) TENON_TRY(context.text(part, tensor_name));
    if (part.number == 2) TENON_TRY(context.append_pair(part, pairs));
  }
  return {};
}

}  // namespace

Result<Node> parse_node(ParseContext& context, const wire::Field& message) {
  TENON_TRY(context.charge(sizeof(Node)));
  Node node;
  Status status = parse_node_fields(context, message, node);
  if (!status.ok()) {
    const std::string_view name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs[0];
    return at_node(std::move(status.error()), name, node.op_type);
  }
  return node;
}

Result<Graph> parse_graph(ParseContext& context, const wire::Field& message) {
  Graph graph;
  wire::Reader reader = TENON_TRY(context.reader(message));
  Field field;
  while (TENON_TRY(reader.next(field))) {
    switch (field.number) {
      case 1:
        graph.nodes.push_back(TENON_TRY(parse_node(context, field)));
        break;
      case 2:
        TENON_TRY(context.text(field, graph.name, graph.present));
        break;
      case 5:
        graph.initializers.push_back(TENON_TRY(parse_tensor(context, field)));
        break;
      case 10:
        TENON_TRY(context.text(field, graph.doc_string, graph.present));
        break;
      case 11:
        graph.inputs.push_back(TENON_TRY(parse_value_info(context, field)));
        break;
      case 12:
        graph.outputs.push_back(TENON_TRY(parse_value_info(context, field)));
        break;
      case 13:
        graph.value_info.push_back(TENON_TRY(parse_value_info(context, field)));
        break;
      case 14:
        TENON_TRY(parse_annotation(context, field, graph));
        break;
      case 15:
        graph.sparse_initializers.push_back(TENON_TRY(parse_sparse_tensor(context, field)));
        break;
      case 16:
        TENON_TRY(context.append_pair(field, graph.metadata_props));
        break;
      default:
        TENON_TRY(context.keep(field, graph.unknown));
    }
  }
  return graph;
}

}  // namespace tenon::onnx
