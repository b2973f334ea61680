#include "lower/regions.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/try.h"

namespace tenon::aten {

namespace {

// Where a higher-order operator takes its graph and where the operands of the graph begin.
struct Region {
  std::string_view target;
  size_t graph;
  size_t operands;
};
constexpr Region kRegions[] = {
    {"higher_order.wrap_with_set_grad_enabled", 1, 2},
    {"higher_order.wrap_with_autocast", 4, 5},
    {"higher_order.tag_activation_checkpoint", 0, 1},
    {"higher_order.strict_mode", 0, 1},
    {"higher_order.invoke_subgraph", 0, 2},
};
constexpr std::string_view kAutocast = "higher_order.wrap_with_autocast";
constexpr size_t kAutocastEnabled = 2;

const Region* find_region(const Node& node) {
  for (const Region& region : kRegions)
    if (region.target == node.target) return &region;
  return nullptr;
}

// Lists of tensors as single tensors.
std::vector<Argument> flatten(const std::vector<Argument>& arguments) {
  std::vector<Argument> flat;
  for (const Argument& argument : arguments) {
    if (const auto* list = argument.get<TensorList>()) {
      for (const std::string& name : list->names) flat.emplace_back(TensorRef{name});
    } else {
      flat.push_back(argument);
    }
  }
  return flat;
}

const std::string* single_name(const Argument& argument) {
  if (const auto* tensor = argument.get<TensorRef>()) return &tensor->name;
  if (const auto* symbol = argument.get<SymIntRef>()) return &symbol->name;
  if (const auto* symbol = argument.get<SymFloatRef>()) return &symbol->name;
  if (const auto* symbol = argument.get<SymBoolRef>()) return &symbol->name;
  return nullptr;
}

class Inliner {
 public:
  explicit Inliner(Graph& graph) : graph_(graph) {
    for (const auto& [name, meta] : graph_.tensors) used_.insert(name);
    for (const auto& [name, symbol] : graph_.symbols) used_.insert(name);
    for (const Node& node : graph_.nodes) used_.insert(node.name);
  }

  Status run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      for (NamedArgument& input : node.inputs) {
        rename(input.value, outer_);
        if (auto* ref = input.value.get<GraphRef>()) TENON_TRY(inline_regions(*ref->graph));
      }
      if (const Region* region = find_region(node)) {
        auto status = expand(node, *region);
        if (!status.ok()) return at_node(std::move(status.error()), node.name, node.target);
      } else {
        graph_.nodes.push_back(std::move(node));
      }
    }
    for (Argument& output : graph_.outputs) rename(output, outer_);
    return {};
  }

 private:
  using Names = std::unordered_map<std::string, std::string>;

  static void rename(Argument& argument, const Names& names) {
    for_each_name(argument, [&](std::string& name) {
      auto it = names.find(name);
      if (it != names.end()) name = it->second;
    });
  }

  std::string fresh(const std::string& name) {
    std::string candidate = name;
    for (int i = 1; !used_.insert(candidate).second; ++i) candidate = fmt::format("{}_{}", name, i);
    return candidate;
  }

  Status expand(const Node& node, const Region& region) {
    const auto* ref =
        node.inputs.size() > region.graph ? node.inputs[region.graph].value.get<GraphRef>() : nullptr;
    if (ref == nullptr) return fail(ErrorCode::kInvalidModel, "argument {} is not a graph", region.graph);
    if (node.target == kAutocast) {
      const bool* enabled = node.inputs[kAutocastEnabled].value.get<bool>();
      if (enabled == nullptr || *enabled)
        return with_hint(
            fail(ErrorCode::kUnsupported, "the casts of an autocast region are not in the program"),
            "make them explicit with program = program.run_decompositions() before saving it");
    }
    std::vector<Argument> operands;
    for (size_t i = region.operands; i < node.inputs.size(); ++i) operands.push_back(node.inputs[i].value);
    operands = flatten(operands);
    const Graph& body = *ref->graph;
    if (operands.size() != body.inputs.size())
      return fail(ErrorCode::kInvalidModel, "the region takes {} operands and is given {}",
                  body.inputs.size(), operands.size());
    Names inner;
    for (size_t i = 0; i < operands.size(); ++i) {
      const std::string* name = single_name(body.inputs[i]);
      const std::string* operand = single_name(operands[i]);
      if (name == nullptr) continue;
      if (operand == nullptr)
        return fail(ErrorCode::kInvalidModel, "operand {} of the region is a constant", i);
      inner[*name] = *operand;
    }
    for (const Node& source : body.nodes) copy_node(source, body, inner);
    return bind_outputs(node, body, inner);
  }

  void copy_node(const Node& source, const Graph& body, Names& inner) {
    Node copy = source;
    for (NamedArgument& input : copy.inputs) rename(input.value, inner);
    for (Argument& output : copy.outputs)
      for_each_name(output, [&](std::string& name) {
        std::string outer = fresh(name);
        if (const TensorMeta* meta = body.find_tensor(name)) graph_.tensors[outer] = *meta;
        if (const SymValue* symbol = body.find_symbol(name)) graph_.symbols[outer] = *symbol;
        inner[name] = outer;
        name = outer;
      });
    const std::string* first = copy.outputs.empty() ? nullptr : single_name(copy.outputs[0]);
    copy.name = first != nullptr ? *first : fresh(copy.name);
    graph_.nodes.push_back(std::move(copy));
  }

  // The names that the wrapping node gave to the region's results stand for the values inside from here on.
  Status bind_outputs(const Node& node, const Graph& body, const Names& inner) {
    std::vector<Argument> made = flatten(node.outputs), results = flatten(body.outputs);
    if (made.size() != results.size())
      return fail(ErrorCode::kInvalidModel, "the region gives {} results and {} are taken", results.size(),
                  made.size());
    for (size_t i = 0; i < made.size(); ++i) {
      const std::string* name = single_name(made[i]);
      if (name == nullptr) continue;
      rename(results[i], inner);
      const std::string* value = single_name(results[i]);
      if (value == nullptr) return fail(ErrorCode::kInvalidModel, "result {} of the region is a constant", i);
      outer_[*name] = *value;
    }
    return {};
  }

  Graph& graph_;
  Names outer_;
  std::unordered_set<std::string> used_;
};

}  // namespace

Status inline_regions(Graph& graph) {
  return Inliner(graph).run();
}

}  // namespace tenon::aten
