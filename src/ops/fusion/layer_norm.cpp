#include "ops/fusion/layer_norm.h"

#include <algorithm>

#include "ops/fusion/values.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

/// Mean, difference, square, variance, sum, root, reciprocal, quotient, scale and bias.
constexpr size_t kNodesMax = 10;

/// The part of the formula that a value is.
struct Parts {
  ValueId mean = kNoValue, difference = kNoValue, square = kNoValue, variance = kNoValue, shifted = kNoValue,
          root = kNoValue, inverse = kNoValue, result = kNoValue;
};

bool has_two(const Node& node, Op op) {
  return node.op == op && node.inputs.size() == 2 && node.has_input(0) && node.has_input(1);
}

/// The other operand of a commutative node, when one is `known`.
ValueId other_operand(const Node& node, ValueId known) {
  return node.inputs[0] == known ? node.inputs[1] : node.inputs[1] == known ? node.inputs[0] : kNoValue;
}

/// How many of the last axes a ReduceMean with kept dimensions takes the mean over; 0 when it is others.
size_t last_axes(const Graph& graph, const Node& node, size_t rank) {
  const Tensor* axes = node.has_input(1) ? graph.constant(node.inputs[1]) : nullptr;
  if (node.op != Op::kReduceMean || axes == nullptr || node.attributes.integer("keepdims", 1) == 0) return 0;
  std::vector<int64_t> sorted;
  for (int64_t axis : to_ints(*axes)) sorted.push_back(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
  std::ranges::sort(sorted);
  for (size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int64_t>(rank - sorted.size() + i)) return 0;
  return sorted.size();
}

/// A constant that broadcasts along the last axes of `shape` alone; undefined when the value is none.
Tensor parameter(const Graph& graph, ValueId id, const SymShape& shape, size_t axes, int64_t length) {
  const Tensor* tensor = id == kNoValue ? nullptr : graph.constant(id);
  if (tensor == nullptr || tensor->type() != DataType::kFloat32 || tensor->shape().size() > shape.size())
    return {};
  if (tensor->size() == 1) return *tensor;
  const Shape& own = tensor->shape();
  if (tensor->size() != length || own.size() < axes) return {};
  for (size_t i = 1; i <= axes; ++i)
    if (!shape[shape.size() - i].is(own[own.size() - i])) return {};
  return *tensor;
}

}  // namespace

std::optional<PrintedLayerNorm> printed_layer_norm(const Graph& graph, std::span<const Node* const> nodes) {
  if (nodes.empty() || nodes.size() > kNodesMax || !nodes[0]->has_input(0)) return std::nullopt;
  PrintedLayerNorm norm;
  norm.x = nodes[0]->inputs[0];
  const ValueType& type = graph.value(norm.x).type;
  if (!type.is_tensor() || type.element != DataType::kFloat32 || !type.shape) return std::nullopt;
  const SymShape& shape = *type.shape;
  const size_t axes = last_axes(graph, *nodes[0], shape.size());
  if (axes == 0 || axes > shape.size()) return std::nullopt;
  norm.length = 1;
  for (size_t i = shape.size() - axes; i < shape.size(); ++i) {
    const auto size = shape[i].constant();
    if (!size || *size <= 0) return std::nullopt;
    norm.length *= *size;
  }
  Parts parts;
  for (const Node* node : nodes) {
    if (node->outputs.size() != 1 || node->outputs[0] == kNoValue) return std::nullopt;
    const ValueId made = node->outputs[0];
    if (parts.result != kNoValue) {
      const bool scales = has_two(*node, Op::kMul) && !norm.scale.defined() && !norm.bias.defined();
      if (!scales && (!has_two(*node, Op::kAdd) || norm.bias.defined())) return std::nullopt;
      Tensor found = parameter(graph, other_operand(*node, parts.result), shape, axes, norm.length);
      if (!found.defined()) return std::nullopt;
      (scales ? norm.scale : norm.bias) = std::move(found);
      parts.result = made;
    } else if (parts.mean == kNoValue) {
      parts.mean = made;
    } else if (parts.difference == kNoValue) {
      if (!has_two(*node, Op::kSub) || node->inputs[0] != norm.x || node->inputs[1] != parts.mean)
        return std::nullopt;
      parts.difference = made;
    } else if (parts.square == kNoValue) {
      const ValueId d = parts.difference;
      const bool squares = (has_two(*node, Op::kPow) && node->inputs[0] == d &&
                            constant_number(graph, node->inputs[1]) == 2.0f) ||
                           (has_two(*node, Op::kMul) && node->inputs[0] == d && node->inputs[1] == d);
      if (!squares) return std::nullopt;
      parts.square = made;
    } else if (parts.variance == kNoValue) {
      if (!node->has_input(0) || node->inputs[0] != parts.square ||
          last_axes(graph, *node, shape.size()) != axes)
        return std::nullopt;
      parts.variance = made;
    } else if (parts.shifted == kNoValue) {
      if (!has_two(*node, Op::kAdd)) return std::nullopt;
      const auto epsilon = constant_number(graph, other_operand(*node, parts.variance));
      if (!epsilon || !(*epsilon >= 0)) return std::nullopt;
      norm.epsilon = static_cast<double>(*epsilon);
      parts.shifted = made;
    } else if (parts.root == kNoValue) {
      if (node->op != Op::kSqrt || node->inputs[0] != parts.shifted) return std::nullopt;
      parts.root = made;
    } else if (node->op == Op::kReciprocal && node->inputs[0] == parts.root) {
      parts.inverse = made;
    } else if (has_two(*node, Op::kDiv) && node->inputs[0] == parts.difference &&
               node->inputs[1] == parts.root) {
      parts.result = made;
    } else if (has_two(*node, Op::kMul) && parts.inverse != kNoValue &&
               other_operand(*node, parts.difference) == parts.inverse) {
      parts.result = made;
    } else {
      return std::nullopt;
    }
  }
  if (parts.result == kNoValue || !same_float32_shape(graph, norm.x, parts.result)) return std::nullopt;
  return norm;
}

std::vector<size_t> layer_norm_at(const Graph& graph, const Graph::Uses& uses, size_t first) {
  // All nodes that follow, in order, as long as they stay among themselves.
  std::vector<size_t> found = {first};
  std::vector<size_t> best;
  const auto is_found = [&](int32_t node) {
    return std::ranges::find(found, static_cast<size_t>(node)) != found.end();
  };
  while (found.size() < kNodesMax) {
    // The earliest node that reads what is made so far, and is not there yet.
    size_t next = graph.nodes.size();
    for (size_t n : found) {
      const Node& node = graph.nodes[n];
      if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return best;
      for (int32_t user : uses.users[index(node.outputs[0])])
        if (!is_found(user)) next = std::min(next, static_cast<size_t>(user));
    }
    if (next == graph.nodes.size()) return best;
    found.push_back(next);
    std::ranges::sort(found);
    std::vector<const Node*> nodes;
    for (size_t n : found) nodes.push_back(&graph.nodes[n]);
    if (!printed_layer_norm(graph, nodes)) continue;
    const auto stays_inside = [&](size_t n) {
      const ValueId made = graph.nodes[n].outputs[0];
      return !uses.is_output[index(made)] && std::ranges::all_of(uses.users[index(made)], is_found);
    };
    if (std::all_of(found.begin(), found.end() - 1, stays_inside)) best = found;
  }
  return best;
}

}  // namespace tenon::ops
