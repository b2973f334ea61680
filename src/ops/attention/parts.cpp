#include "ops/attention/parts.h"

#include <algorithm>

#include "ops/core/region_values.h"
#include "ops/fusion/values.h"
#include "ops/views/strided_view.h"

namespace tenon::ops {

namespace {

Shape without_matrix(const Shape& shape) {
  return Shape(shape.begin(), shape.end() - 2);
}

/// Of a shape that a model declares: 0 when no tensor has it.
int64_t count_of(const Shape& shape) {
  const auto count = element_count(shape);
  return count.ok() ? *count : 0;
}

/// The node of the region before its anchor that makes the value.
const Node* maker_of(const Region& region, ValueId id) {
  for (size_t n = region.anchor; n > 0; --n)
    if (!region.nodes[n - 1]->outputs.empty() && region.nodes[n - 1]->outputs[0] == id)
      return region.nodes[n - 1];
  return nullptr;
}

bool is_matmul(const Node& node) {
  return node.op == Op::kMatMul && node.has_input(0) && node.has_input(1) && node.has_output(0);
}

/// Multiplies `scale` by the number that the node multiplies or divides by; the other operand.
ValueId scaled(const Graph& graph, const Node& node, float& scale) {
  for (size_t i : {1, 0}) {
    const auto number = constant_number(graph, node.inputs[i]);
    if (!number || (node.op == Op::kDiv && i == 0)) continue;
    scale = node.op == Op::kDiv ? scale / *number : scale * *number;
    return node.inputs[1 - i];
  }
  return kNoValue;
}

/// `other` as what is added to scores of the shape `scores`.
std::optional<AttentionParts::Added> added_to(const Region& region, const Node& add, size_t other,
                                              const Shape& scores) {
  const auto shape = known_shape(region, add.inputs[other]);
  if (!shape || shape->empty() || shape->size() > scores.size() || shape->back() != scores.back())
    return std::nullopt;
  const bool is_outside = region.graph->constant(add.inputs[other]) != nullptr ||
                          std::ranges::find(region.inputs, add.inputs[other]) != region.inputs.end();
  if (!is_outside) return std::nullopt;
  AttentionParts::Added added{&add, other, *shape, without_matrix(scores), {}, 0};
  added.batch_strides.resize(added.batch_shape.size(), 0);
  int64_t stride = shape->back();
  const size_t missing = scores.size() - shape->size();
  for (size_t i = shape->size() - 1; i > 0; --i) {
    const int64_t size = (*shape)[i - 1];
    const size_t axis = missing + i - 1;
    if (size != 1 && size != scores[axis]) return std::nullopt;
    if (size != 1 && axis + 2 == scores.size()) added.row = stride;
    if (size != 1 && axis + 2 < scores.size()) added.batch_strides[axis] = stride;
    stride *= size;
  }
  return added;
}

/// What makes the scores, from the Softmax's input back to the first product, which it returns.
const Node* read_scores(const Region& region, AttentionParts& parts) {
  ValueId current = region.anchor_node().inputs[0];
  const auto scores = known_shape(region, current);
  if (!scores || scores->size() < 2 || count_of(*scores) == 0) return nullptr;
  parts.queries = (*scores)[scores->size() - 2];
  parts.keys = scores->back();
  while (const Node* node = maker_of(region, current)) {
    const auto shape = known_shape(region, current);
    if (!shape || shape->size() < 2 || (*shape)[shape->size() - 2] != parts.queries ||
        shape->back() != parts.keys)
      return nullptr;
    if (is_matmul(*node)) return node;
    if (!can_be_in_scores(*node)) return nullptr;
    if (node->op == Op::kReshape) {
      current = node->inputs[0];
    } else if (node->op == Op::kAdd) {
      // What is added is not scaled again.
      const size_t other = maker_of(region, node->inputs[0]) != nullptr ? 1 : 0;
      const auto added = added_to(region, *node, other, *shape);
      if (!added || parts.added.size() == 2 || parts.scale != 1) return nullptr;
      parts.added.push_back(*added);
      current = node->inputs[1 - other];
      if (known_shape(region, current) != shape) return nullptr;
    } else {
      current = scaled(*region.graph, *node, parts.scale);
      if (current == kNoValue || known_shape(region, current) != shape) return nullptr;
    }
  }
  return nullptr;
}

std::optional<MatMulHead::Side> rows_of(const Region& region, ValueId id, const Shape& batch_shape,
                                        bool transposed, int64_t rows, int64_t size) {
  const auto view = strided_view(region, id);
  if (!view || view->shape.size() < 2 || view->shape.size() > batch_shape.size() + 2) return std::nullopt;
  const size_t last = view->shape.size() - 1;
  if (view->shape[last] != (transposed ? rows : size) || view->shape[last - 1] != (transposed ? size : rows))
    return std::nullopt;
  auto side = matmul_side(*view, batch_shape);
  if (!side || (transposed ? side->row_stride : side->column_stride) != 1) return std::nullopt;
  return side;
}

/// The second product and what is behind it.
bool read_output(const Region& region, const Node& product, AttentionParts& parts) {
  const auto shape = known_shape(region, product.outputs[0]);
  if (!shape || shape->size() < 2 || count_of(*shape) == 0) return false;
  parts.v_head_size = shape->back();
  parts.v_batch_shape = without_matrix(*shape);
  if (count_of(parts.v_batch_shape) != count_of(parts.batch_shape) ||
      (*shape)[shape->size() - 2] != parts.queries)
    return false;
  size_t n = region.anchor + 2;
  ValueId current = product.outputs[0];
  std::vector<int64_t> order;
  for (size_t i = 0; i < shape->size(); ++i) order.push_back(static_cast<int64_t>(i));
  if (n < region.nodes.size() && region.nodes[n]->op == Op::kTranspose) {
    const auto perm = region.nodes[n]->attributes.integers("perm");
    // The elements of a row stay together.
    if (perm.size() != order.size() || perm.back() != order.back() || region.nodes[n]->inputs[0] != current ||
        !std::ranges::is_permutation(perm, order))
      return false;
    order = perm;
    current = region.nodes[n++]->outputs[0];
  }
  for (; n < region.nodes.size(); ++n) {
    if (region.nodes[n]->op != Op::kReshape || region.nodes[n]->inputs[0] != current) return false;
    current = region.nodes[n]->outputs[0];
  }
  const auto out = known_shape(region, current);
  if (!out || count_of(*out) != count_of(*shape)) return false;
  parts.out_shape = *out;
  parts.out_strides.resize(shape->size() - 2, 0);
  int64_t stride = 1;
  for (size_t i = order.size(); i > 0; --i) {
    const auto axis = static_cast<size_t>(order[i - 1]);
    if (axis + 2 == shape->size()) parts.out_row = stride;
    if (axis + 2 < shape->size()) parts.out_strides[axis] = stride;
    stride *= (*shape)[axis];
  }
  return true;
}

}  // namespace

bool can_be_in_scores(const Node& node) {
  return (node.op == Op::kAdd || node.op == Op::kMul || node.op == Op::kDiv || node.op == Op::kReshape) &&
         node.inputs.size() == 2 && node.has_input(0) && node.has_input(1) && node.has_output(0);
}

std::optional<AttentionParts> attention_parts(const Region& region) {
  const Node& softmax = region.anchor_node();
  if (region.anchor == 0 || region.anchor + 1 >= region.nodes.size() || softmax.op != Op::kSoftmax ||
      region.outputs.size() != 1 || !softmax.has_input(0) || !softmax.has_output(0))
    return std::nullopt;
  const auto weights = known_shape(region, softmax.outputs[0]);
  const Node& second = *region.nodes[region.anchor + 1];
  if (!weights || !is_matmul(second) || second.inputs[0] != softmax.outputs[0]) return std::nullopt;
  const int64_t axis = softmax.attributes.integer("axis", -1);
  if (axis != -1 && axis != static_cast<int64_t>(weights->size()) - 1) return std::nullopt;
  AttentionParts parts;
  const Node* first = read_scores(region, parts);
  if (first == nullptr) return std::nullopt;
  parts.batch_shape = without_matrix(*known_shape(region, first->outputs[0]));
  if (!read_output(region, second, parts)) return std::nullopt;
  const auto q_shape = known_shape(region, first->inputs[0]);
  if (!q_shape || q_shape->empty()) return std::nullopt;
  parts.head_size = q_shape->back();
  auto q = rows_of(region, first->inputs[0], parts.batch_shape, false, parts.queries, parts.head_size);
  auto k = rows_of(region, first->inputs[1], parts.batch_shape, true, parts.keys, parts.head_size);
  auto v = rows_of(region, second.inputs[1], parts.v_batch_shape, false, parts.keys, parts.v_head_size);
  if (!q || !k || !v || v->scale) return std::nullopt;
  parts.q = std::move(*q);
  parts.k = std::move(*k);
  parts.v = std::move(*v);
  return parts;
}

}  // namespace tenon::ops
