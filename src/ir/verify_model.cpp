#include "ir/verify_model.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/try.h"
#include "ir/verify_parts.h"

namespace tenon::onnx {

namespace {

constexpr int kDepthMax = 32;

std::string_view short_domain(std::string_view domain) {
  return domain == "ai.onnx" ? "" : domain;
}

std::string function_key(std::string_view domain, std::string_view name, std::string_view overload) {
  return fmt::format("{}\n{}\n{}", short_domain(domain), name, overload);
}

std::string label_of(const Node& node) {
  if (!node.name.empty() || node.outputs.empty()) return node.name;
  return node.outputs[0];
}

/// Names that are visible at some place, innermost graph last.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_set<std::string_view> names = {};

  bool sees(std::string_view name) const {
    return names.contains(name) || (outer != nullptr && outer->sees(name));
  }
};

class Verifier {
 public:
  Verifier(const Model& model, size_t problems_max) : model_(model), problems_max_(problems_max) {}

  std::vector<Error> run() {
    if (model_.ir_version <= 0) report(fail(ErrorCode::kInvalidModel, "the model has no IR version"));
    check_imports(model_.opset_imports, model_.ir_version >= 3);
    imports_ = &model_.opset_imports;
    for (const Function& function : model_.functions) {
      if (!functions_.emplace(function_key(function.domain, function.name, function.overload), &function)
               .second)
        report(fail(ErrorCode::kInvalidModel, "function {}.{} is defined twice", function.domain,
                    function.name));
    }
    check_graph(model_.graph, nullptr, 0);
    for (const auto* infos : {&model_.graph.inputs, &model_.graph.outputs})
      for (const ValueInfo& info : *infos) check_declared(info);
    in_function_ = true;
    for (const Function& function : model_.functions) check_function(function);
    check_recursion();
    return std::move(problems_);
  }

 private:
  bool is_full() const { return problems_.size() >= problems_max_; }
  void report(Error error) {
    if (!is_full()) problems_.push_back(std::move(error));
  }
  void report(Status status, std::string_view where, std::string_view op) {
    if (!status.ok()) report(at_node(std::move(status.error()), where, op));
  }

  void check_imports(const std::vector<OpsetImport>& imports, bool required) {
    if (imports.empty() && required) report(fail(ErrorCode::kInvalidModel, "no operator set is imported"));
    std::set<std::string_view> domains;
    for (const OpsetImport& import : imports) {
      if (!domains.insert(short_domain(import.domain)).second)
        report(fail(ErrorCode::kInvalidModel, "operator set \"{}\" is imported twice", import.domain));
      if (import.version <= 0) {
        report(fail(ErrorCode::kInvalidModel, "operator set \"{}\" is imported in version {}", import.domain,
                    import.version));
      }
    }
  }

  void check_declared(const ValueInfo& info) {
    if (!info.type || (info.type->kind == Type::Kind::kNone && info.type->unknown.empty()))
      report(at_node(fail(ErrorCode::kInvalidModel, "an input or output of the model has no type"), info.name,
                     ""));
  }

  void declare(Scope& scope, std::string_view name, std::string_view where, std::string_view op) {
    if (name.empty()) return;
    if (!scope.names.insert(name).second)
      report(at_node(fail(ErrorCode::kInvalidModel, "value \"{}\" is made twice", name), where, op));
  }

  void check_graph(const Graph& graph, const Scope* outer, int depth) {
    if (depth > kDepthMax) {
      report(fail(ErrorCode::kLimit, "subgraphs are nested deeper than {} levels", kDepthMax));
      return;
    }
    Scope scope{outer};
    for (const ValueInfo& input : graph.inputs) {
      declare(scope, input.name, input.name, "input");
      if (input.type) report(check_type(*input.type), input.name, "");
    }
    std::unordered_set<std::string_view> initializers;
    const auto add_initializer = [&](std::string_view name) {
      if (name.empty()) report(fail(ErrorCode::kInvalidModel, "an initializer has no name"));
      if (!initializers.insert(name).second)
        report(at_node(fail(ErrorCode::kInvalidModel, "initializer \"{}\" is there twice", name), name, ""));
      scope.names.insert(name);  // may be an input as well: then it is its default
    };
    for (const TensorData& initializer : graph.initializers) add_initializer(initializer.name);
    for (const SparseTensorData& initializer : graph.sparse_initializers) {
      add_initializer(initializer.values.name);
      report(check_sparse(initializer), initializer.values.name, "sparse tensor");
    }
    check_nodes(graph.nodes, scope, depth);
    for (const ValueInfo& output : graph.outputs) {
      if (!scope.sees(output.name)) {
        report(at_node(fail(ErrorCode::kInvalidModel, "nothing makes the graph's output \"{}\"", output.name),
                       output.name, "output"));
      }
      if (output.type) report(check_type(*output.type), output.name, "");
    }
    for (const ValueInfo& info : graph.value_info)
      if (info.type) report(check_type(*info.type), info.name, "");
  }

  void check_nodes(const std::vector<Node>& nodes, Scope& scope, int depth) {
    for (const Node& node : nodes) {
      if (is_full()) return;
      const std::string label = label_of(node);
      const auto complain = [&](Error error) { report(at_node(std::move(error), label, node.op_type)); };
      if (node.op_type.empty()) complain(fail(ErrorCode::kInvalidModel, "a node has no operator"));
      if (!is_imported(node))
        complain(fail(ErrorCode::kInvalidModel, "operator set \"{}\" is not imported", node.domain));
      for (const std::string& input : node.inputs) {
        if (!input.empty() && !scope.sees(input)) {
          complain(fail(ErrorCode::kInvalidModel, "nothing before this node makes its input \"{}\"", input));
        }
      }
      check_attributes(node, label, scope, depth);
      for (const std::string& output : node.outputs) declare(scope, output, label, node.op_type);
    }
  }

  bool is_imported(const Node& node) const {
    if (functions_.contains(function_key(node.domain, node.op_type, node.overload))) return true;
    if (imports_->empty() && model_.ir_version < 3) return true;
    return std::ranges::any_of(*imports_, [&](const OpsetImport& import) {
      return short_domain(import.domain) == short_domain(node.domain);
    });
  }

  void check_attributes(const Node& node, const std::string& label, const Scope& scope, int depth) {
    std::set<std::string_view> names;
    for (const Attribute& attribute : node.attributes) {
      if (!names.insert(attribute.name).second) {
        report(at_node(fail(ErrorCode::kInvalidModel, "attribute \"{}\" is there twice", attribute.name),
                       label, node.op_type));
      }
      report(check_attribute(attribute, in_function_), label, node.op_type);
      if (const auto* body = std::get_if<Attribute::GraphPtr>(&attribute.value))
        check_graph(**body, &scope, depth + 1);
      if (const auto* bodies = std::get_if<std::vector<Attribute::GraphPtr>>(&attribute.value))
        for (const Attribute::GraphPtr& item : *bodies) check_graph(*item, &scope, depth + 1);
    }
  }

  void check_function(const Function& function) {
    if (is_full()) return;
    check_imports(function.opset_imports, true);
    imports_ = &function.opset_imports;
    Scope scope;
    for (const std::string& input : function.inputs) declare(scope, input, function.name, "function");
    check_nodes(function.nodes, scope, 0);
    for (const std::string& output : function.outputs) {
      if (!scope.sees(output)) {
        report(at_node(fail(ErrorCode::kInvalidModel, "nothing makes the function's output \"{}\"", output),
                       function.name, "function"));
      }
    }
  }

  void collect_calls(const std::vector<Node>& nodes, std::vector<const Function*>& calls) const {
    for (const Node& node : nodes) {
      const auto found = functions_.find(function_key(node.domain, node.op_type, node.overload));
      if (found != functions_.end()) calls.push_back(found->second);
      for (const Attribute& attribute : node.attributes) {
        if (const auto* body = std::get_if<Attribute::GraphPtr>(&attribute.value))
          collect_calls((*body)->nodes, calls);
        if (const auto* bodies = std::get_if<std::vector<Attribute::GraphPtr>>(&attribute.value))
          for (const Attribute::GraphPtr& item : *bodies) collect_calls(item->nodes, calls);
      }
    }
  }

  /// Removes functions that call only removed ones until none is left; what stays calls itself.
  void check_recursion() {
    std::unordered_map<const Function*, std::vector<const Function*>> callers;
    std::unordered_map<const Function*, size_t> open_calls;
    std::vector<const Function*> done;
    for (const Function& function : model_.functions) {
      std::vector<const Function*> calls;
      collect_calls(function.nodes, calls);
      for (const Function* callee : calls) callers[callee].push_back(&function);
      open_calls[&function] = calls.size();
      if (calls.empty()) done.push_back(&function);
    }
    while (!done.empty()) {
      const Function* function = done.back();
      done.pop_back();
      open_calls.erase(function);
      for (const Function* caller : callers[function])
        if (--open_calls[caller] == 0) done.push_back(caller);
    }
    for (const Function& function : model_.functions) {
      if (!open_calls.contains(&function)) continue;
      report(at_node(fail(ErrorCode::kInvalidModel, "function {}.{} is part of a recursion, or calls one",
                          function.domain, function.name),
                     function.name, "function"));
    }
  }

  const Model& model_;
  size_t problems_max_;
  const std::vector<OpsetImport>* imports_ = nullptr;
  bool in_function_ = false;
  std::unordered_map<std::string, const Function*> functions_;
  std::vector<Error> problems_;
};

}  // namespace

std::vector<Error> find_problems(const Model& model, size_t problems_max) {
  return Verifier(model, problems_max).run();
}

Status verify(const Model& model) {
  std::vector<Error> problems = find_problems(model, 1);
  if (problems.empty()) return {};
  return std::move(problems[0]);
}

}  // namespace tenon::onnx
