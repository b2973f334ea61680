#include "ir/patch.h"

#include <algorithm>
#include <map>
#include <unordered_set>

namespace tenon {

namespace {

using Replacements = std::unordered_map<ValueId, ValueId>;

ValueId resolve(const Replacements& replaced, ValueId id) {
  // Chains are as long as the patch made them; a cycle is caught by the bound.
  for (size_t steps = 0; steps <= replaced.size(); ++steps) {
    auto found = replaced.find(id);
    if (found == replaced.end()) return id;
    id = found->second;
  }
  return kNoValue;
}

/// Gives subgraphs that capture a replaced value the new one.
void replace_captures(Node& node, const Replacements& replaced) {
  for (auto& [attribute, body] : node.subgraphs) {
    bool affected = std::any_of(body->captures.begin(), body->captures.end(),
                                [&](const Capture& capture) { return replaced.contains(capture.outer); });
    if (!affected) continue;
    body = std::make_shared<Graph>(*body);
    for (Capture& capture : body->captures) capture.outer = resolve(replaced, capture.outer);
  }
}

/// Makes graph outputs come from the new values, which take over the names that callers know.
void replace_outputs(Graph& graph, const Replacements& replaced) {
  for (ValueId& output : graph.outputs) {
    ValueId with = resolve(replaced, output);
    if (with == output) continue;
    std::string name = graph.value(output).name;
    graph.rename(output, graph.unique_name(name + "/replaced"));
    graph.rename(with, name);
    std::replace(graph.outputs.begin(), graph.outputs.end(), ValueId{output}, with);
  }
}

}  // namespace

ValueId GraphPatch::new_value(std::string_view name, ValueType type) {
  new_values_.push_back({std::string(name), std::move(type), std::nullopt});
  return ValueId{static_cast<uint32_t>(first_new_value_ + new_values_.size() - 1)};
}

ValueId GraphPatch::new_constant(std::string_view name, Tensor tensor) {
  ValueType type = ValueType::tensor(tensor.type(), to_sym(tensor.shape()));
  ValueId id = new_value(name, std::move(type));
  new_values_.back().constant = std::move(tensor);
  return id;
}

size_t GraphPatch::changes() const {
  return replaced_.size() + folded_.size() + removed_.size() + rewritten_.size() + inserted_.size() +
         imported_.size() + dropped_captures_.size();
}

bool can_replace(const Graph& graph, ValueId old, ValueId with) {
  auto is_output = [&](ValueId id) {
    return std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end();
  };
  if (!is_output(old)) return true;
  bool captured = std::any_of(graph.captures.begin(), graph.captures.end(),
                              [&](const Capture& capture) { return capture.inner == with; });
  return !captured && !graph.value(with).constant && !graph.is_input(with) && !is_output(with);
}

Status apply(Graph& graph, GraphPatch patch) {
  if (graph.value_count() != patch.first_new_value_)
    return fail(ErrorCode::kInternal, "a patch was applied to another graph than it was made for");
  for (GraphPatch::NewValue& value : patch.new_values_) {
    ValueId id = graph.add_value(value.name, std::move(value.type));
    graph.value(id).constant = std::move(value.constant);
  }
  std::unordered_set<ValueId> no_longer_made;
  for (auto& [id, constant] : patch.folded_) {
    graph.value(id).constant = std::move(constant);
    no_longer_made.insert(id);
  }
  std::vector<size_t> dropped = patch.dropped_captures_;
  for (auto& [capture, constant] : patch.imported_) {
    graph.value(graph.captures[capture].inner).constant = std::move(constant);
    dropped.push_back(capture);
  }
  std::sort(dropped.begin(), dropped.end());
  for (size_t i = dropped.size(); i-- > 0;)
    graph.captures.erase(graph.captures.begin() + static_cast<std::ptrdiff_t>(dropped[i]));

  for (auto& [node, with] : patch.rewritten_) graph.nodes[node] = std::move(with);

  Replacements replaced(patch.replaced_.begin(), patch.replaced_.end());
  for (const auto& [old, with] : patch.replaced_) {
    if (resolve(replaced, old) == kNoValue)
      return fail(ErrorCode::kInternal, "a patch replaces values in a circle");
  }
  std::unordered_set<size_t> removed(patch.removed_.begin(), patch.removed_.end());
  std::multimap<size_t, Node*> inserted;  // keeps the order of nodes at one place
  for (auto& [before, node] : patch.inserted_) inserted.emplace(before, &node);
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size() + inserted.size());
  for (size_t n = 0; n <= graph.nodes.size(); ++n) {
    auto [first, last] = inserted.equal_range(n);
    for (; first != last; ++first) nodes.push_back(std::move(*first->second));
    if (n < graph.nodes.size() && !removed.contains(n)) nodes.push_back(std::move(graph.nodes[n]));
  }
  for (Node& node : nodes) {
    for (ValueId& id : node.inputs)
      if (id != kNoValue) id = resolve(replaced, id);
    for (ValueId& id : node.outputs)
      if (id != kNoValue && no_longer_made.contains(id)) id = kNoValue;
    replace_captures(node, replaced);
  }
  graph.nodes = std::move(nodes);
  replace_outputs(graph, replaced);
  return {};
}

}  // namespace tenon
