#include "ops/core/emit.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/progress.h"
#include "ops/core/builder.h"
#include "ops/core/range_metadata.h"
#include "ops/core/registry.h"
#include "ops/core/upgrade.h"

namespace tenon::ops {

namespace {

onnx::TensorData tensor_data(std::string name, Tensor value) {
  onnx::TensorData data;
  data.name = std::move(name);
  data.encoding = value.is_string() ? onnx::TensorData::Encoding::kTyped : onnx::TensorData::Encoding::kRaw;
  data.value = std::move(value);
  return data;
}

onnx::Attribute attribute_of(std::string_view name, const AttributeValue& value) {
  using Kind = onnx::Attribute::Kind;
  onnx::Attribute out;
  out.name = name;
  auto set = [&](Kind kind, auto converted) {
    out.kind = kind;
    out.value = std::move(converted);
  };
  if (const auto* i = std::get_if<int64_t>(&value))
    set(Kind::kInt, *i);
  else if (const auto* f = std::get_if<float>(&value))
    set(Kind::kFloat, *f);
  else if (const auto* s = std::get_if<std::string>(&value))
    set(Kind::kString, *s);
  else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value))
    set(Kind::kInts, *ints);
  else if (const auto* floats = std::get_if<std::vector<float>>(&value))
    set(Kind::kFloats, *floats);
  else if (const auto* strings = std::get_if<std::vector<std::string>>(&value))
    set(Kind::kStrings, *strings);
  else if (const auto* tensor = std::get_if<Tensor>(&value))
    set(Kind::kTensor, tensor_data("", *tensor));
  else if (const auto* type = std::get_if<ValueType>(&value))
    set(Kind::kTypeProto, type_to_onnx(*type));
  else {
    std::vector<onnx::TensorData> tensors;
    for (const Tensor& item : std::get<std::vector<Tensor>>(value)) tensors.push_back(tensor_data("", item));
    set(Kind::kTensors, std::move(tensors));
  }
  return out;
}

// Tensors and types never equal a default.
bool same_as_default(const AttributeValue& value, const SchemaAttribute& attribute) {
  switch (attribute.default_kind) {
    case SchemaAttribute::Default::kInt: {
      const auto* i = std::get_if<int64_t>(&value);
      return i && *i == attribute.default_int;
    }
    case SchemaAttribute::Default::kFloat: {
      const auto* f = std::get_if<float>(&value);
      return f && *f == attribute.default_float;
    }
    case SchemaAttribute::Default::kString: {
      const auto* s = std::get_if<std::string>(&value);
      return s && *s == attribute.default_string;
    }
    case SchemaAttribute::Default::kInts: {
      const auto* v = std::get_if<std::vector<int64_t>>(&value);
      return v &&
             std::equal(v->begin(), v->end(), attribute.default_ints.begin(), attribute.default_ints.end());
    }
    default:
      return false;
  }
}

class Emitter;

// One graph on its way out.
class GraphEmitter : public EmitContext::Sink {
 public:
  GraphEmitter(Emitter& owner, const Graph& graph, onnx::Graph& out, GraphEmitter* parent)
      : owner_(owner), graph_(graph), out_(out), parent_(parent) {}

  Status run();

  std::string value_name(ValueId id) override;
  std::string fresh_name(std::string_view wish) override;
  void add_initializer(std::string name, Tensor value) override {
    out_.initializers.push_back(tensor_data(std::move(name), std::move(value)));
  }
  Status add_node(const Node& origin, std::string_view op_type, std::vector<std::string> inputs,
                  std::vector<std::string> outputs, const Attributes& attributes) override;
  void declare(const std::string& name, ValueType type) override { types_[name] = std::move(type); }

 private:
  void name_values();
  Status check_types(const Schema& schema, const std::vector<std::string>& names, bool inputs) const;
  Result<std::vector<onnx::Attribute>> attributes_for(const Schema& schema, const Node& origin,
                                                      const Attributes& attributes);
  onnx::ValueInfo value_info(ValueId id) {
    onnx::ValueInfo info;
    info.name = value_name(id);
    info.type = type_to_onnx(graph_.value(id).type);
    return info;
  }

  Emitter& owner_;
  const Graph& graph_;
  onnx::Graph& out_;
  GraphEmitter* parent_;
  std::vector<std::string> names_;  // by value
  std::unordered_map<std::string, ValueType> types_;
};

class Emitter {
 public:
  Emitter(const TypedModel& model, const EmitOptions& options) : model(model), options(options) {}

  const TypedModel& model;
  const EmitOptions& options;
  std::unordered_set<std::string> taken;       // value names of the whole model
  std::unordered_set<std::string> node_names;  // of the whole model
  std::map<std::string, int> domains;          // other than ai.onnx, with the version written
  bool old_ir() const { return ir_version_of(options.opset) < 10; }
};

void GraphEmitter::name_values() {
  names_.resize(graph_.value_count());
  std::vector<bool> used(graph_.value_count(), false);
  auto use = [&](ValueId id) {
    if (id != kNoValue) used[index(id)] = true;
  };
  for (ValueId id : graph_.inputs) use(id);
  for (ValueId id : graph_.outputs) use(id);
  for (const Node& node : graph_.nodes) {
    for (ValueId id : node.inputs) use(id);
    for (ValueId id : node.outputs) use(id);
    for (const auto& [key, body] : node.subgraphs)
      for (const Capture& capture : body->captures) use(capture.outer);
  }
  std::vector<bool> captured(graph_.value_count(), false);
  for (const Capture& capture : graph_.captures) {
    captured[index(capture.inner)] = true;
    names_[index(capture.inner)] = parent_->value_name(capture.outer);
  }
  // Names that were asked for (inputs, outputs) come first, then the others.
  auto name = [&](ValueId id) {
    if (names_[index(id)].empty()) names_[index(id)] = fresh_name(graph_.value(id).name);
  };
  for (ValueId id : graph_.inputs) name(id);
  for (ValueId id : graph_.outputs) name(id);
  for (size_t i = 0; i < names_.size(); ++i)
    if (used[i]) name(ValueId{static_cast<uint32_t>(i)});
  for (size_t i = 0; i < names_.size(); ++i) {
    ValueId id{static_cast<uint32_t>(i)};
    if (!used[i]) continue;
    types_[names_[i]] = graph_.value(id).type;
    if (graph_.value(id).constant && !captured[i]) add_initializer(names_[i], *graph_.value(id).constant);
  }
}

std::string GraphEmitter::value_name(ValueId id) {
  return names_[index(id)];
}

std::string GraphEmitter::fresh_name(std::string_view wish) {
  std::string base(wish.empty() ? "value" : wish), candidate = base;
  for (int suffix = 1; !owner_.taken.insert(candidate).second; ++suffix)
    candidate = fmt::format("{}_{}", base, suffix);
  return candidate;
}

Status GraphEmitter::check_types(const Schema& schema, const std::vector<std::string>& names,
                                 bool inputs) const {
  for (size_t i = 0; i < names.size(); ++i) {
    auto it = types_.find(names[i]);
    if (names[i].empty() || it == types_.end() || !it->second.is_tensor()) continue;
    DataType element = it->second.element;
    const SchemaParameter* formal = inputs ? schema.input(i) : schema.output(i);
    std::string what = inputs ? "input" : "output";
    if (element == DataType::kUndefined || (formal && formal->types.has_tensor(element))) continue;
    for (const Schema& later : schema_versions(schema.domain, schema.name)) {
      const SchemaParameter* newer = inputs ? later.input(i) : later.output(i);
      if (later.since_version <= owner_.options.opset || !newer || !newer->types.has_tensor(element))
        continue;
      return with_hint(
          fail(ErrorCode::kUnsupported, "{} takes {} as {} '{}' since opset {} and opset {} was asked for",
               schema.name, data_type_name(element), what, newer->name, later.since_version,
               owner_.options.opset),
          fmt::format("export with --opset {} or newer", later.since_version));
    }
    return fail(ErrorCode::kUnsupported, "{} of ONNX does not take {} as {} {}", schema.name,
                data_type_name(element), what, i);
  }
  return {};
}

Result<std::vector<onnx::Attribute>> GraphEmitter::attributes_for(const Schema& schema, const Node& origin,
                                                                  const Attributes& attributes) {
  std::vector<onnx::Attribute> out;
  for (const auto& [name, value] : attributes) {
    const SchemaAttribute* known = schema.attribute(name);
    if (known) {
      if (known->required || !same_as_default(value, *known)) out.push_back(attribute_of(name, value));
      continue;
    }
    bool harmless = false;
    int since = 0;
    for (const Schema& later : schema_versions(schema.domain, schema.name)) {
      const SchemaAttribute* newer = later.attribute(name);
      if (later.since_version <= owner_.options.opset || !newer) continue;
      if (since == 0) since = later.since_version;
      harmless |= same_as_default(value, *newer);
    }
    if (harmless) continue;
    if (since == 0)
      return fail(ErrorCode::kInternal, "{} of opset {} has no attribute '{}'", schema.name,
                  owner_.options.opset, name);
    return with_hint(
        fail(ErrorCode::kUnsupported, "{} has attribute '{}' since opset {} and opset {} was asked for",
             schema.name, name, since, owner_.options.opset),
        fmt::format("export with --opset {} or newer", since));
  }
  for (const auto& [name, body] : origin.subgraphs) {
    if (!schema.attribute(name)) continue;
    auto graph = std::make_shared<onnx::Graph>();
    graph->name = body->name.empty() ? name : body->name;
    TENON_TRY(GraphEmitter(owner_, *body, *graph, this).run());
    onnx::Attribute attribute;
    attribute.name = name;
    attribute.kind = onnx::Attribute::Kind::kGraph;
    attribute.value = std::move(graph);
    out.push_back(std::move(attribute));
  }
  return out;
}

Status GraphEmitter::add_node(const Node& origin, std::string_view op_type, std::vector<std::string> inputs,
                              std::vector<std::string> outputs, const Attributes& attributes) {
  std::string_view domain = op_def(origin.op).domain;
  const int opset = domain.empty() ? owner_.options.opset : newest_schema(origin.op).since_version;
  const Schema* schema = find_schema(domain, op_type, opset);
  if (!schema || schema->deprecated) {
    auto versions = schema_versions(domain, op_type);
    if (schema || versions.empty() || versions.front().since_version <= opset)
      return fail(ErrorCode::kUnsupported, "opset {} has no operator {}", opset, op_type);
    int since = versions.front().since_version;
    return with_hint(fail(ErrorCode::kUnsupported, "{} exists since opset {} and opset {} was asked for",
                          op_type, since, opset),
                     fmt::format("export with --opset {} or newer", since));
  }
  while (static_cast<int>(inputs.size()) > schema->min_inputs && inputs.back().empty()) inputs.pop_back();
  while (static_cast<int>(outputs.size()) > schema->min_outputs && outputs.back().empty()) outputs.pop_back();
  if (static_cast<int>(inputs.size()) > schema->max_inputs ||
      static_cast<int>(inputs.size()) < schema->min_inputs)
    return fail(ErrorCode::kUnsupported, "{} of opset {} takes {} to {} inputs, not {}", op_type, opset,
                schema->min_inputs, schema->max_inputs, inputs.size());
  if (static_cast<int>(outputs.size()) > schema->max_outputs)
    return fail(ErrorCode::kUnsupported, "{} of opset {} makes at most {} outputs, not {}", op_type, opset,
                schema->max_outputs, outputs.size());
  TENON_TRY(check_types(*schema, inputs, true));
  TENON_TRY(check_types(*schema, outputs, false));

  onnx::Node node;
  node.op_type = op_type;
  node.domain = domain;
  node.attributes = TENON_TRY(attributes_for(*schema, origin, attributes));
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  std::string base = origin.name.empty() ? std::string(op_type) : origin.name;
  node.name = base;
  for (int suffix = 1; !owner_.node_names.insert(node.name).second; ++suffix)
    node.name = fmt::format("{}_{}", base, suffix);
  if (owner_.options.provenance && origin.provenance) {
    auto note = [&](std::string_view key, const std::string& text) {
      if (text.empty()) return;
      if (owner_.old_ir())
        node.doc_string += fmt::format("{}{}: {}", node.doc_string.empty() ? "" : "\n", key, text);
      else
        node.metadata_props.emplace_back(key, text);
    };
    note(kSourceKey, origin.provenance->source_line);
    note(kModuleKey, origin.provenance->module_path);
    note(kTargetKey, origin.provenance->target);
  }
  if (!domain.empty()) owner_.domains[node.domain] = std::max(owner_.domains[node.domain], opset);
  out_.nodes.push_back(std::move(node));
  return {};
}

Status GraphEmitter::run() {
  name_values();
  for (ValueId id : graph_.inputs) out_.inputs.push_back(value_info(id));
  for (size_t n = 0; n < graph_.nodes.size(); ++n) {
    if (parent_ == nullptr) tell(owner_.options.progress, "nodes written", n, graph_.nodes.size());
    const Node& node = graph_.nodes[n];
    EmitContext context(graph_, node, owner_.options.opset, *this);
    Status status = op_def(node.op).emit(context);
    if (!status.ok()) return at_node(std::move(status.error()), node.name, op_name(node.op));
  }
  for (ValueId id : graph_.outputs) out_.outputs.push_back(value_info(id));
  return {};
}

using Names = std::unordered_set<std::string_view>;

/// The names that the nodes of a graph, and of the bodies inside it, read; and its inputs and outputs.
void collect_read(const onnx::Graph& graph, Names& read) {
  for (const onnx::ValueInfo& input : graph.inputs) read.insert(input.name);
  for (const onnx::ValueInfo& output : graph.outputs) read.insert(output.name);
  for (const onnx::Node& node : graph.nodes) {
    read.insert(node.inputs.begin(), node.inputs.end());
    for (const onnx::Attribute& attribute : node.attributes)
      if (const auto* body = std::get_if<std::shared_ptr<onnx::Graph>>(&attribute.value))
        collect_read(**body, read);
  }
}

/// Takes out the initializers that nothing reads: constants that became attributes at this opset.
void drop_unread_initializers(onnx::Graph& graph, const Names& read) {
  std::erase_if(graph.initializers, [&](const onnx::TensorData& data) { return !read.contains(data.name); });
  for (const onnx::Node& node : graph.nodes)
    for (const onnx::Attribute& attribute : node.attributes)
      if (const auto* body = std::get_if<std::shared_ptr<onnx::Graph>>(&attribute.value))
        drop_unread_initializers(**body, read);
}

}  // namespace

onnx::Type type_to_onnx(const ValueType& type) {
  onnx::Type out;
  switch (type.kind) {
    case ValueType::Kind::kUnknown:
      break;
    case ValueType::Kind::kTensor:
      out.kind = onnx::Type::Kind::kTensor;
      out.element = type.element;
      if (type.shape) {
        out.shape.emplace();
        for (const SymInt& dim : *type.shape) {
          onnx::Dimension dimension;
          std::string text = dim.to_string();
          if (auto number = dim.constant())
            dimension.value = *number;
          else if (text.find('?') == std::string::npos)
            dimension.value = std::move(text);
          out.shape->push_back(std::move(dimension));
        }
      }
      break;
    case ValueType::Kind::kSequence:
      out.kind = onnx::Type::Kind::kSequence;
      break;
    case ValueType::Kind::kOptional:
      out.kind = onnx::Type::Kind::kOptional;
      break;
    case ValueType::Kind::kMap:
      out.kind = onnx::Type::Kind::kMap;
      out.element = type.element;
      break;
  }
  if (type.inner) out.inner = std::make_shared<onnx::Type>(type_to_onnx(*type.inner));
  return out;
}

int64_t ir_version_of(int opset) {
  // onnx.helper.VERSION_TABLE: the last opset that each IR version was released with. Not below IR 4, which
  // is the first where an initializer need not be an input.
  constexpr std::pair<int, int> kLastOpset[] = {{9, 4},  {10, 5},  {11, 6},  {14, 7},  {18, 8},
                                                {20, 9}, {22, 10}, {23, 11}, {24, 12}, {27, 13}};
  for (auto [last, ir] : kLastOpset)
    if (opset <= last) return ir;
  return 14;
}

Result<onnx::Model> emit(const TypedModel& model, const EmitOptions& options) {
  if (options.opset < kOldestOpset || options.opset > kNewestOpset)
    return fail(ErrorCode::kUnsupported, "opset {} cannot be written, only {} to {}", options.opset,
                kOldestOpset, kNewestOpset);
  onnx::Model out;
  out.ir_version = ir_version_of(options.opset);
  out.producer_name = "tenon";
  out.metadata_props = model.metadata;
  add_range_metadata(model, out.metadata_props);
  out.doc_string = model.doc_string;
  out.graph.name = model.name.empty() ? "main" : model.name;
  Emitter emitter(model, options);
  TENON_TRY(GraphEmitter(emitter, model.graph, out.graph, nullptr).run());
  Names read;
  collect_read(out.graph, read);
  drop_unread_initializers(out.graph, read);
  out.opset_imports.push_back({"", options.opset});
  for (const auto& [domain, version] : emitter.domains) out.opset_imports.push_back({domain, version});
  return out;
}

}  // namespace tenon::ops
