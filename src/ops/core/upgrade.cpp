#include "ops/core/upgrade.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>

#include "base/progress.h"
#include "ops/core/builder.h"
#include "ops/core/inline_functions.h"
#include "ops/core/range_metadata.h"
#include "ops/core/registry.h"

namespace tenon::ops {

namespace {

constexpr int kMaxDepth = 64;

SymInt anonymous_dimension() {
  static std::atomic<uint64_t> counter{0};
  return SymInt::symbol("?d" + std::to_string(counter.fetch_add(1, std::memory_order_relaxed)));
}

std::optional<AttributeValue> attribute_value(const onnx::Attribute& attribute) {
  using onnx::Attribute;
  switch (attribute.kind) {
    case Attribute::Kind::kFloat:
      return std::get<float>(attribute.value);
    case Attribute::Kind::kInt:
      return std::get<int64_t>(attribute.value);
    case Attribute::Kind::kString:
      return std::get<std::string>(attribute.value);
    case Attribute::Kind::kTensor:
      return std::get<onnx::TensorData>(attribute.value).value;
    case Attribute::Kind::kFloats:
      return std::get<Attribute::Floats>(attribute.value);
    case Attribute::Kind::kInts:
      return std::get<Attribute::Ints>(attribute.value);
    case Attribute::Kind::kStrings:
      return std::get<Attribute::Strings>(attribute.value);
    case Attribute::Kind::kTensors: {
      std::vector<Tensor> tensors;
      for (const auto& data : std::get<std::vector<onnx::TensorData>>(attribute.value))
        tensors.push_back(data.value);
      return tensors;
    }
    case Attribute::Kind::kTypeProto:
      return type_from(std::get<onnx::Type>(attribute.value));
    default:
      return std::nullopt;
  }
}

// "key: value" lines of a doc_string, as files below IR 10 carry them.
std::string doc_line(const std::string& doc, std::string_view key) {
  std::string start = std::string(key) + ": ";
  size_t at = doc.rfind(start, 0) == 0 ? 0 : doc.find("\n" + start);
  if (at == std::string::npos) return "";
  at += (at == 0 ? 0 : 1) + start.size();
  return doc.substr(at, doc.find('\n', at) - at);
}

std::shared_ptr<const Provenance> provenance_of(const onnx::Node& node) {
  auto provenance = std::make_shared<Provenance>();
  auto find = [&](std::string_view key) {
    for (const auto& [name, value] : node.metadata_props)
      if (name == key) return value;
    return doc_line(node.doc_string, key);
  };
  provenance->source_line = find(kSourceKey);
  provenance->module_path = find(kModuleKey);
  provenance->target = find(kTargetKey);
  return provenance;
}

// One graph under conversion, with the names visible in it.
struct Scope {
  Graph* graph;
  Scope* parent;
  std::unordered_map<std::string_view, ValueId> names;
  std::vector<bool> available;  // by value: made before the node at hand

  void declare(std::string_view name, ValueId id, bool is_available) {
    names[name] = id;
    available.resize(graph->value_count(), false);
    available[index(id)] = is_available;
  }

  // The value of that name here; captured from an enclosing graph when it is from there.
  ValueId resolve(const std::string& name) {
    auto it = names.find(name);
    if (it != names.end() && (available[index(it->second)] || !parent)) return it->second;
    ValueId outer = parent ? parent->resolve(name) : kNoValue;
    if (outer == kNoValue || !parent->available[index(outer)])
      return it != names.end() ? it->second : kNoValue;
    ValueId inner = graph->add_value(name, parent->graph->value(outer).type);
    graph->value(inner).constant = parent->graph->value(outer).constant;
    if (parent->graph->is_input(outer)) graph->value(inner).constant.reset();
    graph->value(inner).elements = parent->graph->value(outer).elements;
    graph->captures.push_back({outer, inner});
    captured_names.push_back(std::make_unique<std::string>(name));
    declare(*captured_names.back(), inner, true);
    return inner;
  }

  std::vector<std::unique_ptr<std::string>> captured_names;
};

class Upgrader {
 public:
  Upgrader(const onnx::Model& model, const ProgressFunction& progress) : model_(model), progress_(progress) {
    for (const onnx::OpsetImport& opset : model.opset_imports)
      opsets_[opset.domain == "ai.onnx" ? "" : opset.domain] =
          static_cast<int>(std::clamp<int64_t>(opset.version, 0, 1 << 20));
  }

  Status convert_graph(const onnx::Graph& source, Graph& graph, Scope* parent, int depth,
                       const std::vector<DataType>& formal_elements = {}) {
    if (depth > kMaxDepth) return fail(ErrorCode::kLimit, "subgraphs are nested deeper than {}", kMaxDepth);
    graph.name = source.name;
    Scope scope{&graph, parent, {}, {}, {}};
    TENON_TRY(declare_values(source, scope, formal_elements));
    for (size_t n = 0; n < source.nodes.size(); ++n) {
      if (depth == 0) tell(progress_, "nodes read", n, source.nodes.size());
      const onnx::Node& node = source.nodes[n];
      Status status = convert_node(node, scope, depth);
      if (!status.ok()) return at_node(std::move(status.error()), label(node), node.op_type);
    }
    for (const onnx::ValueInfo& output : source.outputs) {
      ValueId id = scope.resolve(output.name);
      if (id == kNoValue || !scope.available[index(id)])
        return fail(ErrorCode::kInvalidModel, "graph output '{}' is not made by any node", output.name);
      graph.outputs.push_back(id);
    }
    return {};
  }

 private:
  static std::string label(const onnx::Node& node) {
    if (!node.name.empty()) return node.name;
    return node.outputs.empty() ? "" : node.outputs[0];
  }

  Status declare_values(const onnx::Graph& source, Scope& scope,
                        const std::vector<DataType>& formal_elements) {
    Graph& graph = *scope.graph;
    std::unordered_map<std::string_view, const onnx::Type*> declared;
    for (const auto* list : {&source.inputs, &source.outputs, &source.value_info})
      for (const onnx::ValueInfo& info : *list)
        if (info.type) declared.try_emplace(info.name, &*info.type);
    auto declared_type = [&](const std::string& name) {
      auto it = declared.find(name);
      return it == declared.end() ? ValueType{} : type_from(*it->second);
    };

    std::unordered_map<std::string_view, Tensor> constants;
    for (const onnx::TensorData& data : source.initializers)
      if (!constants.emplace(data.name, data.value).second)
        return fail(ErrorCode::kInvalidModel, "initializer '{}' is there twice", data.name);
    for (const onnx::SparseTensorData& sparse : source.sparse_initializers)
      if (!constants.emplace(sparse.values.name, TENON_TRY(densify(sparse))).second)
        return fail(ErrorCode::kInvalidModel, "initializer '{}' is there twice", sparse.values.name);

    for (size_t i = 0; i < source.inputs.size(); ++i) {
      const onnx::ValueInfo& input = source.inputs[i];
      if (scope.names.contains(input.name))
        return fail(ErrorCode::kInvalidModel, "graph input '{}' is there twice", input.name);
      auto constant = constants.find(input.name);
      // Before IR 4 every initializer had to be an input as well; it is a constant all the same.
      if (constant != constants.end() && model_.ir_version < 4) continue;
      ValueType type = declared_type(input.name);
      if (type.kind == ValueType::Kind::kUnknown && i < formal_elements.size() &&
          formal_elements[i] != DataType::kUndefined)
        type = ValueType::tensor(formal_elements[i]);
      ValueId id = graph.add_input(input.name, std::move(type));
      scope.declare(input.name, id, true);
      if (constant != constants.end()) {
        graph.value(id).constant = std::move(constant->second);
        constants.erase(constant);
      }
    }
    auto add_constant = [&](std::string_view name) {
      auto it = constants.find(name);
      if (it == constants.end()) return;
      scope.declare(name, graph.add_constant(name, std::move(it->second)), true);
      constants.erase(it);
    };
    for (const onnx::TensorData& data : source.initializers) add_constant(data.name);
    for (const onnx::SparseTensorData& sparse : source.sparse_initializers) add_constant(sparse.values.name);

    for (const onnx::Node& node : source.nodes) {
      for (const std::string& name : node.outputs) {
        if (name.empty()) continue;
        if (scope.names.contains(name))
          return at_node(fail(ErrorCode::kInvalidModel, "value '{}' is made twice", name), label(node),
                         node.op_type);
        scope.declare(name, graph.add_value(name, declared_type(name)), false);
      }
    }
    return {};
  }

  static Result<Tensor> densify(const onnx::SparseTensorData& sparse) {
    int64_t count = TENON_TRY(element_count(sparse.dims));
    const Tensor& values = sparse.values.value;
    const Tensor& indices = sparse.indices.value;
    const int64_t rank = static_cast<int64_t>(sparse.dims.size());
    const int64_t items = values.size();
    const bool flat = indices.rank() == 1;
    if (indices.type() != DataType::kInt64 || values.rank() != 1 || values.is_string() ||
        indices.size() != (flat ? items : items * rank))
      return fail(ErrorCode::kInvalidModel, "sparse initializer '{}' has indices that do not fit its values",
                  sparse.values.name);
    if (count > (int64_t{1} << 32))
      return fail(ErrorCode::kLimit, "sparse initializer '{}' is too large", sparse.values.name);
    Tensor dense = Tensor::allocate(values.type(), sparse.dims);
    std::fill_n(dense.mutable_raw(), dense.bytes(), std::byte{0});
    const size_t width = element_size(values.type());
    for (int64_t i = 0; i < items; ++i) {
      int64_t offset = 0;
      bool inside = true;
      if (flat) {
        offset = indices.data<int64_t>()[i];
      } else {
        for (int64_t d = 0; d < rank; ++d) {
          int64_t at = indices.data<int64_t>()[i * rank + d];
          inside = inside && at >= 0 && at < sparse.dims[static_cast<size_t>(d)];
          offset = inside ? offset * sparse.dims[static_cast<size_t>(d)] + at : 0;
        }
      }
      if (!inside || offset < 0 || offset >= count)
        return fail(ErrorCode::kInvalidModel, "sparse initializer '{}' has an index out of range",
                    sparse.values.name);
      std::copy_n(values.raw() + static_cast<size_t>(i) * width, width,
                  dense.mutable_raw() + static_cast<size_t>(offset) * width);
    }
    return dense;
  }

  Status convert_node(const onnx::Node& node, Scope& scope, int depth) {
    const std::string domain = node.domain == "ai.onnx" ? "" : node.domain;
    auto opset = opsets_.find(domain);
    if (opset == opsets_.end())
      return fail(ErrorCode::kInvalidModel, "the model imports no opset of domain '{}'", node.domain);
    const Schema* schema = find_schema(domain, node.op_type, opset->second);
    if (!schema) {
      auto versions = schema_versions(domain, node.op_type);
      if (!versions.empty())
        return fail(ErrorCode::kInvalidModel, "{} exists since opset {}, the model imports opset {}",
                    node.op_type, versions.front().since_version, opset->second);
      return with_hint(fail(ErrorCode::kUnsupported, "operator {}{}{} is not supported", domain,
                            domain.empty() ? "" : ".", node.op_type),
                       "tenon ops lists the operators that are");
    }
    const OpDef* def = find_op(domain, node.op_type);
    const LegacyOp* legacy = def ? nullptr : find_legacy(domain, node.op_type);
    if (!def && !legacy)
      return with_hint(fail(ErrorCode::kUnsupported, "operator {} is not supported", node.op_type),
                       "tenon ops lists the operators that are");

    std::vector<ValueId> inputs;
    for (const std::string& name : node.inputs) {
      ValueId id = name.empty() ? kNoValue : scope.resolve(name);
      if (!name.empty() && (id == kNoValue || !scope.available[index(id)]))
        return fail(ErrorCode::kInvalidModel, "input '{}' is not made by any node before this one", name);
      inputs.push_back(id);
    }
    std::vector<ValueId> outputs;
    for (const std::string& name : node.outputs)
      outputs.push_back(name.empty() ? kNoValue : scope.names[name]);

    Node shell;
    shell.name = label(node);
    shell.provenance = provenance_of(node);
    Attributes attributes;
    for (const onnx::Attribute& attribute : node.attributes) {
      if (!attribute.ref_attr_name.empty()) {
        return fail(ErrorCode::kInvalidModel,
                    "attribute '{}' refers to an attribute of a function, outside of one", attribute.name);
      }
      if (const auto* body = std::get_if<onnx::Attribute::GraphPtr>(&attribute.value)) {
        auto subgraph = std::make_shared<Graph>();
        TENON_TRY(convert_graph(**body, *subgraph, &scope, depth + 1, formal_elements(node, inputs, scope)));
        shell.subgraphs.emplace_back(attribute.name, std::move(subgraph));
      } else if (const auto* sparse = std::get_if<onnx::SparseTensorData>(&attribute.value)) {
        attributes.set(attribute.name, TENON_TRY(densify(*sparse)));
      } else if (auto value = attribute_value(attribute)) {
        attributes.set(attribute.name, std::move(*value));
      } else {
        return fail(ErrorCode::kInvalidModel, "attribute '{}' has no value that tenon can read",
                    attribute.name);
      }
    }
    TENON_TRY(complete_node_attributes(*schema, node, attributes));

    GraphBuilder builder(*scope.graph);
    builder.set_origin(shell.name, shell.provenance);
    UpgradeContext context(builder, *schema, opset->second, std::move(inputs), outputs, std::move(attributes),
                           std::move(shell));
    TENON_TRY((def ? def->upgrade : legacy->upgrade)(context));
    for (ValueId id : outputs)
      if (id != kNoValue) scope.available[index(id)] = true;
    scope.available.resize(scope.graph->value_count(), true);
    return {};
  }

  // Graph attributes are not in `attributes`; complete_attributes knows only the others.
  static Status complete_node_attributes(const Schema& schema, const onnx::Node& node,
                                         Attributes& attributes) {
    // Constant's sparse_value is dense by now.
    if (node.op_type == "Constant" && attributes.has("sparse_value")) {
      Tensor dense = *attributes.tensor("sparse_value");
      attributes.erase("sparse_value");
      attributes.set("value", std::move(dense));
    }
    return complete_attributes(schema, attributes);
  }

  // What a Loop or Scan gives its body, as far as the body does not declare it.
  static std::vector<DataType> formal_elements(const onnx::Node& node, const std::vector<ValueId>& inputs,
                                               const Scope& scope) {
    std::vector<DataType> elements;
    for (ValueId id : inputs)
      elements.push_back(id == kNoValue ? DataType::kUndefined : scope.graph->value(id).type.element);
    if (node.op_type == "Loop") {
      if (!elements.empty()) elements[0] = DataType::kInt64;
      if (elements.size() > 1) elements[1] = DataType::kBool;
      return elements;
    }
    return node.op_type == "Scan" ? elements : std::vector<DataType>{};
  }

  const onnx::Model& model_;
  const ProgressFunction& progress_;
  std::unordered_map<std::string, int> opsets_;
};

}  // namespace

ValueType type_from(const onnx::Type& type) {
  switch (type.kind) {
    case onnx::Type::Kind::kTensor:
    case onnx::Type::Kind::kSparseTensor: {
      if (!type.shape) return ValueType::tensor(type.element);
      SymShape shape;
      for (const onnx::Dimension& dimension : *type.shape) {
        if (const auto* number = std::get_if<int64_t>(&dimension.value); number && *number >= 0)
          shape.emplace_back(*number);
        else if (const auto* name = std::get_if<std::string>(&dimension.value); name && !name->empty())
          shape.push_back(SymInt::symbol(*name));
        else
          shape.push_back(anonymous_dimension());
      }
      return ValueType::tensor(type.element, std::move(shape));
    }
    case onnx::Type::Kind::kSequence:
      return ValueType::sequence(type.inner ? type_from(*type.inner) : ValueType{});
    case onnx::Type::Kind::kOptional:
      return ValueType::optional(type.inner ? type_from(*type.inner) : ValueType{});
    case onnx::Type::Kind::kMap:
      return ValueType::map(type.element, type.inner ? type_from(*type.inner) : ValueType{});
    case onnx::Type::Kind::kNone:
      break;
  }
  return {};
}

Result<TypedModel> upgrade(const onnx::Model& model, const ProgressFunction& progress) {
  if (!model.functions.empty()) return upgrade(TENON_TRY(inline_functions(model)), progress);
  TypedModel typed;
  typed.name = model.graph.name;
  typed.metadata = model.metadata_props;
  typed.ranges = take_range_metadata(typed.metadata);
  typed.doc_string = model.doc_string;
  for (const onnx::OpsetImport& opset : model.opset_imports)
    if (opset.domain.empty() || opset.domain == "ai.onnx")
      typed.origin = fmt::format("onnx opset {}", opset.version);
  TENON_TRY(Upgrader(model, progress).convert_graph(model.graph, typed.graph, nullptr, 0));
  return typed;
}

}  // namespace tenon::ops
