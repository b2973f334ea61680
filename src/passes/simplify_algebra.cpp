#include <algorithm>
#include <unordered_set>

#include "ops/core/registry.h"
#include "passes/pass.h"
#include "tensor/element.h"

namespace tenon::passes {

namespace {

/// Whether every element of the constant is `value`; floats bit for bit, so that 0 is not -0.
bool is_all(const Graph& graph, ValueId id, double value) {
  const Tensor* tensor = graph.constant(id);
  if (tensor == nullptr || tensor->size() == 0 || tensor->size() > 65536) return false;
  ComputeKind kind = compute_kind(tensor->type());
  if (kind == ComputeKind::kString || kind == ComputeKind::kComplex) return false;
  for (double element : to_doubles(*tensor))
    if (std::bit_cast<uint64_t>(element) != std::bit_cast<uint64_t>(value)) return false;
  return true;
}

/// Whether two values certainly have the same element type and shape.
bool same_type(const Graph& graph, ValueId a, ValueId b) {
  const ValueType& left = graph.value(a).type;
  const ValueType& right = graph.value(b).type;
  return left.is_tensor() && right.is_tensor() && left.element == right.element &&
         left.element != DataType::kUndefined && left.shape && right.shape && *left.shape == *right.shape;
}

/// The input that a binary node hands on as it is because the other one is neutral, or kNoValue.
ValueId neutral_operand(const Graph& graph, const Node& node) {
  std::string_view name = op_name(node.op);
  if (node.inputs.size() != 2 || !node.has_input(0) || !node.has_input(1)) return kNoValue;
  ValueId a = node.inputs[0];
  ValueId b = node.inputs[1];
  ComputeKind kind = compute_kind(graph.value(a).type.element);
  bool integer = kind == ComputeKind::kSigned || kind == ComputeKind::kUnsigned;
  if (name == "Mul") return is_all(graph, b, 1) ? a : is_all(graph, a, 1) ? b : kNoValue;
  if (name == "Div") return is_all(graph, b, 1) ? a : kNoValue;
  if (name == "Sub") return is_all(graph, b, 0) ? a : kNoValue;
  if (name == "Add") {
    double zero = integer ? 0.0 : -0.0;  // x + 0 makes 0 of -0
    return is_all(graph, b, zero) ? a : is_all(graph, a, zero) ? b : kNoValue;
  }
  return kNoValue;
}

class Simplifier {
 public:
  explicit Simplifier(const Graph& graph) : graph_(graph), patch_(graph), uses_(graph.uses()) {}

  GraphPatch run() {
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (node.outputs.empty() || node.outputs[0] == kNoValue) continue;
      std::string_view name = op_name(node.op);
      if (name == "Transpose")
        merge_transposes(n);
      else if (name == "Reshape")
        merge_reshapes(n);
      else if (ValueId same = neutral_operand(graph_, node); same != kNoValue)
        hand_on(n, same);
    }
    return std::move(patch_);
  }

 private:
  /// Replaces the node's output by a value of the same type.
  void hand_on(size_t n, ValueId source) {
    ValueId result = graph_.nodes[n].outputs[0];
    bool is_output = uses_.is_output[index(result)];
    // One change a value and patch: the next round sees the rest.
    if (is_output || touched_.contains(source) || !same_type(graph_, result, source)) return;
    touched_.insert(result);
    patch_.replace(result, source);
    patch_.remove(n);
  }

  /// The node that makes input 0, when it is of the same operator.
  const Node* twin_above(const Node& node) const {
    int32_t above = uses_.producer[index(node.inputs[0])];
    if (above < 0) return nullptr;
    const Node& producer = graph_.nodes[static_cast<size_t>(above)];
    return producer.op == node.op && !touched_.contains(node.inputs[0]) ? &producer : nullptr;
  }

  void merge_transposes(size_t n) {
    const Node& node = graph_.nodes[n];
    std::vector<int64_t> perm = node.attributes.integers("perm");
    if (perm.empty()) return;
    if (std::is_sorted(perm.begin(), perm.end())) return hand_on(n, node.inputs[0]);
    const Node* above = twin_above(node);
    if (above == nullptr) return;
    std::vector<int64_t> first = above->attributes.integers("perm");
    if (first.size() != perm.size()) return;
    for (int64_t& axis : perm) {
      if (axis < 0 || axis >= static_cast<int64_t>(first.size())) return;
      axis = first[static_cast<size_t>(axis)];
    }
    Node merged = node;
    merged.inputs = above->inputs;
    merged.attributes.set("perm", perm);
    touched_.insert(node.outputs[0]);
    patch_.rewrite(n, std::move(merged));
  }

  void merge_reshapes(size_t n) {
    const Node& node = graph_.nodes[n];
    if (!node.has_input(0) || !node.has_input(1)) return;
    if (same_type(graph_, node.inputs[0], node.outputs[0])) return hand_on(n, node.inputs[0]);
    const Node* above = twin_above(node);
    const Tensor* shape = graph_.constant(node.inputs[1]);
    if (above == nullptr || shape == nullptr) return;
    // A 0 copies a dimension of the tensor in between.
    for (int64_t size : to_ints(*shape))
      if (size == 0 && node.attributes.integer("allowzero") == 0) return;
    Node merged = node;
    merged.inputs[0] = above->inputs[0];
    touched_.insert(node.outputs[0]);
    patch_.rewrite(n, std::move(merged));
  }

  const Graph& graph_;
  GraphPatch patch_;
  Graph::Uses uses_;
  std::unordered_set<ValueId> touched_;
};

}  // namespace

Result<GraphPatch> simplify_algebra(const Graph& graph, const PassContext&) {
  return Simplifier(graph).run();
}

}  // namespace tenon::passes
