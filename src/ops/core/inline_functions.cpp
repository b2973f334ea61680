#include "ops/core/inline_functions.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/try.h"
#include "ops/core/schema.h"

namespace tenon::ops {

namespace {

std::string_view short_domain(std::string_view domain) {
  return domain == "ai.onnx" ? "" : domain;
}

std::string key_of(std::string_view domain, std::string_view name, std::string_view overload) {
  return fmt::format("{}\n{}\n{}", short_domain(domain), name, overload);
}

std::string label_of(const onnx::Node& node) {
  if (!node.name.empty()) return node.name;
  return node.outputs.empty() || node.outputs[0].empty() ? node.op_type : node.outputs[0];
}

const onnx::Attribute* find_attribute(const std::vector<onnx::Attribute>& attributes, std::string_view name) {
  const auto found = std::ranges::find(attributes, name, &onnx::Attribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

const int64_t* find_opset(const std::vector<onnx::OpsetImport>& imports, std::string_view domain) {
  for (const onnx::OpsetImport& import : imports)
    if (short_domain(import.domain) == short_domain(domain)) return &import.version;
  return nullptr;
}

/// Memory that a copy of a value takes; tensors share theirs.
size_t payload_bytes(const onnx::Attribute::Value& value) {
  if (const auto* ints = std::get_if<onnx::Attribute::Ints>(&value)) return ints->size() * sizeof(int64_t);
  if (const auto* floats = std::get_if<onnx::Attribute::Floats>(&value))
    return floats->size() * sizeof(float);
  if (const auto* text = std::get_if<std::string>(&value)) return text->size();
  size_t total = 0;
  if (const auto* strings = std::get_if<onnx::Attribute::Strings>(&value))
    for (const std::string& text : *strings) total += sizeof(std::string) + text.size();
  if (const auto* tensors = std::get_if<std::vector<onnx::TensorData>>(&value))
    total += tensors->size() * sizeof(onnx::TensorData);
  return total;
}

/// One call of a function, while its body is copied.
struct Call {
  const onnx::Function* function;
  const onnx::Node* node;  ///< The calling node, in the names of the caller.
  std::string prefix;
  std::unordered_map<std::string, std::string> names;  ///< From the body's names to those of the model.
};

class Inliner {
 public:
  Inliner(const onnx::Model& model, const InlineOptions& options) : model_(model), options_(options) {}

  Result<onnx::Model> run() {
    for (const onnx::Function& function : model_.functions) {
      if (!functions_.emplace(key_of(function.domain, function.name, function.overload), &function).second)
        return fail(ErrorCode::kInvalidModel, "function {}.{} is defined twice", function.domain,
                    function.name);
    }
    onnx::Model result = model_;
    result.functions.clear();
    result.training_info.clear();
    imports_ = &result.opset_imports;
    collect_names(model_.graph);
    result.graph = TENON_TRY(copy_graph(model_.graph, nullptr));
    return result;
  }

 private:
  void collect_names(const onnx::Graph& graph) {
    for (const onnx::ValueInfo& input : graph.inputs) taken_.insert(input.name);
    for (const onnx::TensorData& initializer : graph.initializers) taken_.insert(initializer.name);
    for (const onnx::Node& node : graph.nodes) {
      taken_.insert(node.outputs.begin(), node.outputs.end());
      for (const onnx::Attribute& attribute : node.attributes) {
        if (const auto* body = std::get_if<onnx::Attribute::GraphPtr>(&attribute.value))
          collect_names(**body);
        if (const auto* bodies = std::get_if<std::vector<onnx::Attribute::GraphPtr>>(&attribute.value))
          for (const auto& item : *bodies) collect_names(*item);
      }
    }
  }

  Status charge(size_t bytes) {
    used_ += bytes;
    if (used_ <= options_.bytes_max) return {};
    return fail(ErrorCode::kLimit, "the bodies of its functions take more than {} bytes when inlined",
                options_.bytes_max);
  }

  std::string fresh_name(const std::string& wish) {
    std::string name = wish;
    for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", wish, i);
    return name;
  }

  /// The model's name for a name of the body at hand. Outside of calls names stay.
  std::string rename(const std::string& name, Call* call) {
    if (call == nullptr || name.empty()) return name;
    const auto found = call->names.find(name);
    if (found != call->names.end()) return found->second;
    return call->names.emplace(name, fresh_name(call->prefix + name)).first->second;
  }

  Result<onnx::Graph> copy_graph(const onnx::Graph& source, Call* call) {
    onnx::Graph graph = source;
    graph.nodes.clear();
    if (call != nullptr) {
      TENON_TRY(charge(sizeof(graph) + graph.initializers.size() * sizeof(onnx::TensorData) +
                       (graph.inputs.size() + graph.outputs.size() + graph.value_info.size()) *
                           sizeof(onnx::ValueInfo)));
    }
    for (auto* infos : {&graph.inputs, &graph.outputs, &graph.value_info})
      for (onnx::ValueInfo& info : *infos) info.name = rename(info.name, call);
    for (onnx::TensorData& initializer : graph.initializers)
      initializer.name = rename(initializer.name, call);
    for (onnx::SparseTensorData& initializer : graph.sparse_initializers)
      initializer.values.name = rename(initializer.values.name, call);
    for (const onnx::Node& node : source.nodes) TENON_TRY(add_node(node, call, graph.nodes));
    return graph;
  }

  /// Appends a copy of `source` to `out`, or, when it is a call itself, the body that it calls.
  Status add_node(const onnx::Node& source, Call* call, std::vector<onnx::Node>& out) {
    Status status = add_node_unlabelled(source, call, out);
    if (!status.ok()) return at_node(std::move(status.error()), label_of(source), source.op_type);
    return status;
  }

  Status add_node_unlabelled(const onnx::Node& source, Call* call, std::vector<onnx::Node>& out) {
    onnx::Node node = TENON_TRY(copy_node(source, call));
    const auto callee = functions_.find(key_of(node.domain, node.op_type, node.overload));
    if (callee != functions_.end()) return expand(*callee->second, node, out);
    if (call != nullptr) TENON_TRY(check_opset(node, *call->function));
    out.push_back(std::move(node));
    return {};
  }

  Result<onnx::Node> copy_node(const onnx::Node& source, Call* call) {
    onnx::Node node = source;
    node.attributes.clear();
    for (const onnx::Attribute& attribute : source.attributes)
      TENON_TRY(add_attribute(attribute, call, node));
    if (call == nullptr) return node;
    if (!node.name.empty()) node.name = call->prefix + node.name;
    for (std::string& name : node.inputs) name = rename(name, call);
    for (std::string& name : node.outputs) name = rename(name, call);
    if (node.metadata_props.empty()) node.metadata_props = call->node->metadata_props;
    if (node.doc_string.empty()) node.doc_string = call->node->doc_string;
    size_t bytes = sizeof(onnx::Node) + node.name.size() + node.doc_string.size();
    for (const auto* names : {&node.inputs, &node.outputs})
      for (const std::string& name : *names) bytes += sizeof(std::string) + 2 * name.size();
    for (const onnx::Attribute& attribute : node.attributes)
      bytes += sizeof(attribute) + payload_bytes(attribute.value);
    for (const auto& [key, value] : node.metadata_props)
      bytes += 2 * sizeof(std::string) + key.size() + value.size();
    TENON_TRY(charge(bytes));
    return node;
  }

  Status add_attribute(const onnx::Attribute& attribute, Call* call, onnx::Node& node) {
    if (!attribute.ref_attr_name.empty()) return add_referenced(attribute, call, node);
    onnx::Attribute& copy = node.attributes.emplace_back(attribute);
    if (auto* body = std::get_if<onnx::Attribute::GraphPtr>(&copy.value))
      *body = std::make_shared<onnx::Graph>(TENON_TRY(copy_graph(**body, call)));
    if (auto* bodies = std::get_if<std::vector<onnx::Attribute::GraphPtr>>(&copy.value))
      for (auto& item : *bodies) item = std::make_shared<onnx::Graph>(TENON_TRY(copy_graph(*item, call)));
    return {};
  }

  /// An attribute of a body that stands for one of the call. Left out when neither call nor function has it.
  Status add_referenced(const onnx::Attribute& attribute, const Call* call, onnx::Node& node) {
    if (call == nullptr) {
      return fail(ErrorCode::kInvalidModel,
                  "attribute \"{}\" refers to an attribute of a function, outside of one", attribute.name);
    }
    const std::string& name = attribute.ref_attr_name;
    const onnx::Attribute* value = find_attribute(call->node->attributes, name);
    if (value == nullptr) value = find_attribute(call->function->attribute_defaults, name);
    if (value == nullptr) {
      if (std::ranges::count(call->function->attributes, name) > 0) return {};
      return fail(ErrorCode::kInvalidModel,
                  "attribute \"{}\" refers to \"{}\", which the function does not have", attribute.name,
                  name);
    }
    if (attribute.kind != value->kind && attribute.kind != onnx::Attribute::Kind::kUndefined) {
      return fail(ErrorCode::kInvalidModel, "attribute \"{}\" refers to \"{}\", which is of another type",
                  attribute.name, name);
    }
    onnx::Attribute& copy = node.attributes.emplace_back(*value);
    copy.name = attribute.name;
    return {};
  }

  Status expand(const onnx::Function& function, const onnx::Node& node, std::vector<onnx::Node>& out) {
    if (std::ranges::count(active_, &function) > 0)
      return fail(ErrorCode::kInvalidModel, "function {}.{} calls itself", function.domain, function.name);
    if (active_.size() >= static_cast<size_t>(options_.depth_max))
      return fail(ErrorCode::kLimit, "functions call functions deeper than {} levels", options_.depth_max);
    if (node.inputs.size() > function.inputs.size() || node.outputs.size() > function.outputs.size()) {
      return fail(ErrorCode::kInvalidModel,
                  "function {}.{} is called with more inputs or outputs than it has", function.domain,
                  function.name);
    }
    Call call{&function, &node, label_of(node) + "/", {}};
    for (size_t i = 0; i < function.inputs.size(); ++i)
      call.names[function.inputs[i]] = i < node.inputs.size() ? node.inputs[i] : "";
    // An output that is also an input, or stands twice, needs a node to carry it to its second name.
    std::vector<onnx::Node> carriers;
    for (size_t i = 0; i < function.outputs.size(); ++i) {
      const bool wanted = i < node.outputs.size() && !node.outputs[i].empty();
      if (!wanted) continue;
      const auto [known, is_new] = call.names.try_emplace(function.outputs[i], node.outputs[i]);
      if (is_new) continue;
      onnx::Node& carrier = carriers.emplace_back();
      carrier.name = call.prefix + "output_" + std::to_string(i);
      carrier.op_type = "Identity";
      carrier.inputs = {known->second};
      carrier.outputs = {node.outputs[i]};
      carrier.metadata_props = node.metadata_props;
    }
    active_.push_back(&function);
    for (const onnx::Node& inner : function.nodes) TENON_TRY(add_node(inner, &call, out));
    active_.pop_back();
    if (!carriers.empty()) TENON_TRY(check_opset(carriers[0], function));
    std::ranges::move(carriers, std::back_inserter(out));
    return {};
  }

  /// A node keeps its meaning when it moves from the function, with the versions that this imports, to the
  /// model.
  Status check_opset(const onnx::Node& node, const onnx::Function& function) {
    const int64_t* wanted = find_opset(function.opset_imports, node.domain);
    if (wanted == nullptr) return {};
    const int64_t* given = find_opset(*imports_, node.domain);
    if (given == nullptr) {
      imports_->push_back({node.domain, *wanted});
      return {};
    }
    if (*given == *wanted) return {};
    const auto schema_at = [&](int64_t version) {
      return find_schema(node.domain, node.op_type,
                         static_cast<int>(std::clamp<int64_t>(version, 0, INT32_MAX)));
    };
    if (schema_at(*given) == schema_at(*wanted)) return {};
    return fail(ErrorCode::kUnsupported,
                "function {}.{} uses {} of opset {}, which is another operator at the model's opset {}",
                function.domain, function.name, node.op_type, *wanted, *given);
  }

  const onnx::Model& model_;
  const InlineOptions& options_;
  std::unordered_map<std::string, const onnx::Function*> functions_;
  std::unordered_set<std::string> taken_;
  std::vector<onnx::OpsetImport>* imports_ = nullptr;
  std::vector<const onnx::Function*> active_;
  size_t used_ = 0;
};

}  // namespace

Result<onnx::Model> inline_functions(const onnx::Model& model, const InlineOptions& options) {
  return Inliner(model, options).run();
}

}  // namespace tenon::ops
