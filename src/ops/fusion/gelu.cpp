#include "ops/fusion/gelu.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "ops/fusion/values.h"

namespace tenon::ops {

namespace {

bool near(std::optional<float> value, double want) {
  return value && std::abs(static_cast<double>(*value) - want) < 1e-6 * want;
}

bool has_two(const Node& node, Op op) {
  return node.op == op && node.inputs.size() == 2 && node.outputs.size() == 1;
}

/// Whether the node is op(a, b) or op(b, a).
bool combines(const Node& node, Op op, ValueId a, ValueId b) {
  return has_two(node, op) &&
         ((node.inputs[0] == a && node.inputs[1] == b) || (node.inputs[0] == b && node.inputs[1] == a));
}

/// The number that the node combines `x` with.
std::optional<float> number_beside(const Graph& graph, const Node& node, Op op, ValueId x) {
  if (!has_two(node, op)) return std::nullopt;
  if (node.inputs[0] == x) return constant_number(graph, node.inputs[1]);
  if (node.inputs[1] == x && op != Op::kDiv) return constant_number(graph, node.inputs[0]);
  return std::nullopt;
}

bool halves(const Graph& graph, const Node& node, ValueId x) {
  return near(number_beside(graph, node, Op::kMul, x), 0.5) ||
         near(number_beside(graph, node, Op::kDiv, x), 2);
}

}  // namespace

bool is_gelu(const Graph& graph, std::span<const Node* const> nodes, ValueId x) {
  if (nodes.size() != kGeluNodes) return false;
  const Node *erf = nullptr, *sum = nullptr, *scaled = nullptr, *product = nullptr;
  for (const Node* node : nodes.first(kGeluNodes - 1)) {
    if (node->outputs.size() != 1) return false;
    if (near(number_beside(graph, *node, Op::kDiv, x), std::sqrt(2.0)) ||
        near(number_beside(graph, *node, Op::kMul, x), std::sqrt(0.5)))
      scaled = node;
    else if (node->op == Op::kErf && scaled != nullptr && node->inputs[0] == scaled->outputs[0])
      erf = node;
    else if (erf != nullptr && number_beside(graph, *node, Op::kAdd, erf->outputs[0]) == 1.0f)
      sum = node;
    else
      product = node;
  }
  if (sum == nullptr || product == nullptr) return false;
  const Node& last = *nodes.back();
  const ValueId one_and_erf = sum->outputs[0], part = product->outputs[0];
  const bool whole = (combines(*product, Op::kMul, x, one_and_erf) && halves(graph, last, part)) ||
                     (halves(graph, *product, x) && combines(last, Op::kMul, part, one_and_erf)) ||
                     (halves(graph, *product, one_and_erf) && combines(last, Op::kMul, part, x));
  return whole && same_float32_shape(graph, x, last.outputs[0]);
}

std::vector<size_t> gelu_of(const Graph& graph, const Graph::Uses& uses, ValueId x) {
  // The one user of what a node makes.
  const auto follow = [&](size_t n) -> std::optional<size_t> {
    const Node& node = graph.nodes[n];
    if (node.outputs.size() != 1 || node.outputs[0] == kNoValue || uses.is_output[index(node.outputs[0])] ||
        uses.users[index(node.outputs[0])].size() != 1)
      return std::nullopt;
    return static_cast<size_t>(uses.users[index(node.outputs[0])][0]);
  };
  if (uses.is_output[index(x)] || uses.users[index(x)].size() != 2) return {};
  std::vector<size_t> found;
  const auto add = [&](size_t n) {
    if (std::ranges::find(found, n) == found.end()) found.push_back(n);
  };
  for (int32_t user : uses.users[index(x)]) add(static_cast<size_t>(user));
  for (int32_t user : uses.users[index(x)]) {
    // From the scaled x over Erf and the sum to the product with it, and what is left of the pattern.
    auto next = follow(static_cast<size_t>(user));
    if (!next || graph.nodes[*next].op != Op::kErf) continue;
    for (int i = 0; i < 4 && next && found.size() < kGeluNodes; ++i, next = follow(*next)) add(*next);
  }
  std::ranges::sort(found);
  if (found.size() != kGeluNodes) return {};
  std::vector<const Node*> nodes;
  for (size_t n : found) nodes.push_back(&graph.nodes[n]);
  if (!is_gelu(graph, nodes, x)) return {};
  // All but the result stay among the nodes.
  for (size_t n : found) {
    if (n == found.back()) break;
    const ValueId made = graph.nodes[n].outputs[0];
    if (uses.is_output[index(made)]) return {};
    for (int32_t user : uses.users[index(made)])
      if (std::ranges::find(found, static_cast<size_t>(user)) == found.end()) return {};
  }
  return found;
}

}  // namespace tenon::ops
