#include "lower/functionalise.h"

#include <algorithm>
#include <unordered_set>

#include "base/try.h"
#include "ir/aten/verify.h"
#include "lower/aten/argument_reader.h"
#include "lower/memory.h"
#include "lower/mutations.h"
#include "lower/regions.h"
#include "lower/views.h"

namespace tenon::aten {

namespace {

// Nodes that check or annotate and make no value.
bool has_no_effect(const Node& node) {
  static const std::unordered_set<std::string> kTargets = {
      "aten._assert_tensor_metadata.default",
      "aten._assert_scalar.default",
      "aten._assert_async.default",
      "aten._assert_async.msg",
      "aten._print.default",
      "aten.sym_constrain_range.default",
      "aten.sym_constrain_range_for_size.default",
      "torch._C._set_grad_enabled",
  };
  return kTargets.count(node.target) != 0;
}

// Operators that give back the very tensor that they are given.
bool returns_its_input(const Node& node) {
  return node.target == "aten.detach_.default" || node.target == "aten.requires_grad_.default";
}

const TensorRef* single_output(const Node& node) {
  return node.outputs.empty() ? nullptr : node.outputs[0].get<TensorRef>();
}

class GraphFunctionaliser {
 public:
  explicit GraphFunctionaliser(Graph& graph) : graph_(graph), memory_(graph) {}

  Status run() {
    for (const Argument& input : graph_.inputs) define(input);
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (const Node& node : nodes) {
      auto status = visit(node);
      if (!status.ok()) return at_node(std::move(status.error()), node.name, node.target);
    }
    for (Argument& output : graph_.outputs) TENON_TRY(memory_.read_names(output));
    return {};
  }

  /// True when the memory of graph input `name` was written.
  bool is_written(const std::string& name) const { return memory_.is_written(name); }

  /// Drops nodes whose values nobody uses.
  void drop_dead_nodes() {
    std::unordered_set<std::string> live;
    auto keep = [&](const std::string& name) { live.insert(name); };
    for (const Argument& output : graph_.outputs) for_each_name(output, keep);
    std::vector<Node> kept;
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      Node& node = graph_.nodes[i];
      bool used = false;
      for (const Argument& output : node.outputs)
        for_each_name(output, [&](const std::string& name) { used = used || live.count(name) != 0; });
      if (!used) continue;
      for (const NamedArgument& input : node.inputs) for_each_name(input.value, keep);
      kept.push_back(std::move(node));
    }
    std::reverse(kept.begin(), kept.end());
    graph_.nodes = std::move(kept);
  }

 private:
  void define(const Argument& made) {
    if (const auto* tensor = made.get<TensorRef>()) memory_.define(tensor->name, tensor->name);
    if (const auto* list = made.get<TensorList>())
      for (const std::string& name : list->names) memory_.define(name, name);
  }

  // Appends what a node of the original program becomes.
  Status visit(Node node) {
    if (has_no_effect(node)) return {};
    for (const NamedArgument& input : node.inputs)
      if (const auto* ref = input.value.get<GraphRef>()) TENON_TRY(visit_subgraph(*ref->graph));
    bool writes = TENON_TRY(written_input(node)).has_value();
    ViewInfo info = view_info(graph_, node);
    std::string self;
    if (!node.inputs.empty())
      if (const auto* tensor = node.inputs[0].value.get<TensorRef>()) self = tensor->name;
    const TensorRef* output = single_output(node);
    bool is_known = memory_.is_known(self);
    if (returns_its_input(node) && is_known && output != nullptr) {
      memory_.same_object(output->name, self);
      return {};
    }
    for (NamedArgument& input : node.inputs) TENON_TRY(memory_.read_names(input.value));
    if (is_shape_mutation(node)) {  // x.unsqueeze_(0): x becomes what x.unsqueeze(0) is
      if (!is_known || output == nullptr)
        return fail(ErrorCode::kInvalidModel, "reshapes something that is no tensor");
      node.target.erase(node.target.find("_."), 1);
      memory_.view(node, self, true);
      memory_.reshape_object(self, output->name);
    } else if (writes) {
      TENON_TRY(write(node, self));
    } else if (node.target == "aten.lift_fresh_copy.default" && is_known && output != nullptr) {
      memory_.define(output->name,
                     node.inputs[0].value.get<TensorRef>()->name);  // a constant's value, memory anew
    } else if (!info.source.empty() && info.is_identity && output != nullptr) {
      memory_.alias(output->name, self);
    } else if (!info.source.empty() && is_known) {
      memory_.view(node, self, info.sharing == Sharing::kAlways);
    } else {
      for (const Argument& made : node.outputs) define(made);
      graph_.nodes.push_back(std::move(node));
    }
    return {};
  }

  // x.add_(1), given with functional values; `self` is the name of x in the original program.
  Status write(const Node& node, const std::string& self) {
    if (!memory_.is_known(self))
      return fail(ErrorCode::kInvalidModel, "writes into something that is no tensor");
    FunctionalForm form = TENON_TRY(
        functional_form(graph_, node, [this](const std::string& name) { return memory_.fresh(name); }));
    for (Node& made : form.nodes) graph_.nodes.push_back(std::move(made));
    TENON_TRY(memory_.write(self, form.value, node));
    if (const TensorRef* output = single_output(node)) memory_.same_object(output->name, self);
    return {};
  }

  static Status visit_subgraph(Graph& subgraph) {
    GraphFunctionaliser inner(subgraph);
    TENON_TRY(inner.run());
    for (const Argument& input : subgraph.inputs)
      if (const auto* tensor = input.get<TensorRef>(); tensor != nullptr && inner.is_written(tensor->name))
        return fail(ErrorCode::kUnsupported, "a subgraph writes into its operand '{}'", tensor->name);
    inner.drop_dead_nodes();
    return {};
  }

  Graph& graph_;
  Memory memory_;
};

std::string place(const Node& node) {
  std::string path = module_path(node.origin);
  return path.empty() ? "node '" + node.name + "'" : "layer '" + path + "'";
}

// Layers that behave otherwise in training than in inference, and were exported as for training.
void warn_of_training(const Graph& graph, std::vector<std::string>& warnings) {
  for (const Node& node : graph.nodes) {
    for (const NamedArgument& input : node.inputs)
      if (const auto* ref = input.value.get<GraphRef>()) warn_of_training(*ref->graph, warnings);
    ArgumentReader reader(graph, node);
    std::string_view op = reader.op();
    bool is_dropout = op == "dropout" || op == "dropout_" || op == "feature_dropout" ||
                      op == "feature_dropout_" || op == "alpha_dropout" || op == "alpha_dropout_" ||
                      op == "native_dropout";
    if (!is_dropout && op != "batch_norm" && op != "rrelu") continue;
    auto training = reader.optional_boolean(is_dropout ? "train" : "training");
    if (!training.ok() || !training->value_or(false)) continue;
    if (auto p = reader.number("p"); is_dropout && p.ok() && *p == 0) continue;
    warnings.push_back(
        fmt::format("{} ({}) was exported in training mode; call model.eval() before torch.export.export "
                    "if this is not meant",
                    place(node), op));
  }
}

std::string_view kind_name(InputSpec::Kind kind) {
  return kind == InputSpec::Kind::kUserInput   ? "input"
         : kind == InputSpec::Kind::kParameter ? "parameter"
                                               : "buffer";
}

// Memory that outlives the call and was written without the signature saying so.
void warn_of_writes(const Program& program, const GraphFunctionaliser& graph,
                    std::vector<std::string>& warnings) {
  for (size_t i = 0; i < program.input_specs.size(); ++i) {
    const InputSpec& spec = program.input_specs[i];
    const auto* tensor = program.graph.inputs[i].get<TensorRef>();
    if (tensor == nullptr || !graph.is_written(tensor->name)) continue;
    const std::string& name = spec.target.empty() ? spec.name : spec.target;
    if (name.ends_with("num_batches_tracked"))
      continue;  // BatchNorm in training mode, which has its own warning
    warnings.push_back(
        fmt::format("{} '{}' is written in place; the exported model computes with the new value and does "
                    "not keep it for the next call",
                    kind_name(spec.kind), name));
  }
}

}  // namespace

Result<FunctionalProgram> functionalise(Program program) {
  FunctionalProgram result;
  TENON_TRY(inline_regions(program.graph));
  warn_of_training(program.graph, result.warnings_);
  GraphFunctionaliser graph(program.graph);
  TENON_TRY(graph.run());
  warn_of_writes(program, graph, result.warnings_);
  graph.drop_dead_nodes();
  TENON_TRY(verify(program));
  result.program_ = std::move(program);
  return result;
}

}  // namespace tenon::aten
