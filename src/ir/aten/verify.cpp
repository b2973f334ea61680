#include "ir/aten/verify.h"

#include <unordered_set>

#include "base/try.h"

namespace tenon::aten {

namespace {

constexpr int kMaxSubgraphDepth = 32;

class GraphVerifier {
 public:
  GraphVerifier(const Graph& graph, int depth) : graph_(graph), depth_(depth) {}

  Status verify() {
    if (depth_ > kMaxSubgraphDepth)
      return fail(ErrorCode::kLimit, "subgraphs are nested more than {} deep", kMaxSubgraphDepth);
    for (const Argument& input : graph_.inputs) TENON_TRY(define(input));
    for (const Node& node : graph_.nodes) {
      auto status = check_node(node);
      if (!status.ok()) return at_node(std::move(status.error()), node.name, node.target);
    }
    for (const Argument& output : graph_.outputs) {
      auto status = use(output);
      if (!status.ok()) return at_node(std::move(status.error()), "output", "");
    }
    return {};
  }

 private:
  Status check_node(const Node& node) {
    if (!node.name.empty() && !node_names_.insert(node.name).second)
      return fail(ErrorCode::kInvalidModel, "two nodes have this name");
    for (const NamedArgument& input : node.inputs) {
      TENON_TRY(use(input.value));
      if (const auto* ref = input.value.get<GraphRef>()) {
        if (ref->graph == nullptr)
          return fail(ErrorCode::kInvalidModel, "subgraph '{}' is missing", ref->name);
        TENON_TRY(GraphVerifier(*ref->graph, depth_ + 1).verify());
      }
    }
    for (const Argument& output : node.outputs) TENON_TRY(define(output));
    return {};
  }

  Status use(const Argument& argument) {
    const std::string* missing = nullptr;
    for_each_name(argument, [&](const std::string& name) {
      if (defined_.find(name) == defined_.end()) missing = &name;
    });
    if (missing != nullptr)
      return fail(ErrorCode::kInvalidModel, "value '{}' is used before it is made", *missing);
    return {};
  }

  Status define(const Argument& argument) {
    const std::string *twice = nullptr, *untyped = nullptr;
    bool tensor = argument.get<TensorRef>() != nullptr || argument.get<TensorList>() != nullptr;
    bool object = argument.get<CustomObject>() != nullptr;
    for_each_name(argument, [&](const std::string& name) {
      if (!defined_.insert(name).second) twice = &name;
      if (tensor ? graph_.find_tensor(name) == nullptr : !object && graph_.find_symbol(name) == nullptr)
        untyped = &name;
    });
    if (twice != nullptr) return fail(ErrorCode::kInvalidModel, "value '{}' is made twice", *twice);
    if (untyped != nullptr) return fail(ErrorCode::kInvalidModel, "value '{}' has no type", *untyped);
    return {};
  }

  const Graph& graph_;
  int depth_;
  std::unordered_set<std::string> defined_;
  std::unordered_set<std::string> node_names_;
};

}  // namespace

Status verify(const Program& program) {
  if (program.graph.inputs.size() != program.input_specs.size() ||
      program.graph.outputs.size() != program.output_specs.size())
    return fail(ErrorCode::kInvalidModel, "the graph has {} inputs and {} outputs, the signature {} and {}",
                program.graph.inputs.size(), program.graph.outputs.size(), program.input_specs.size(),
                program.output_specs.size());
  return GraphVerifier(program.graph, 0).verify();
}

}  // namespace tenon::aten
