#include "ops/views/strided_view.h"

#include <algorithm>

#include "ops/core/axes.h"
#include "ops/core/region_values.h"
#include "ops/fusion/values.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

using Ints = std::vector<int64_t>;

/// Outputs of a Split that is a view: each product that looks through it goes over all of them.
constexpr size_t kPartsMax = 16;

std::optional<Ints> shape_of(const Region& region, ValueId id) {
  const auto shape = known_shape(region, id);
  return shape ? std::optional(Ints(shape->begin(), shape->end())) : std::nullopt;
}

std::optional<Ints> constant_ints(const Region& region, const Node& node, size_t i) {
  const Tensor* tensor = region.constant_input(node, i);
  return tensor != nullptr ? std::optional(to_ints(*tensor)) : std::nullopt;
}

/// The operand of a product with one number; kNoValue for other nodes.
ValueId scaled_operand(const Graph& graph, const Node& node) {
  if (node.op != Op::kMul || node.inputs.size() != 2) return kNoValue;
  for (size_t i : {0, 1})
    if (node.has_input(1 - i) && constant_number(graph, node.inputs[i]) &&
        !constant_number(graph, node.inputs[1 - i]))
      return node.inputs[1 - i];
  return kNoValue;
}

bool transpose(const Node& node, StridedView& view) {
  Ints perm = node.attributes.integers("perm");
  const size_t rank = view.shape.size();
  if (perm.empty())
    for (size_t i = rank; i > 0; --i) perm.push_back(static_cast<int64_t>(i) - 1);
  if (perm.size() != rank) return false;
  const StridedView from = view;
  for (size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<size_t>(perm[i]);
    if (axis >= rank) return false;
    view.shape[i] = from.shape[axis];
    view.strides[i] = from.strides[axis];
  }
  return true;
}

/// The axis of a node, counted from the front.
std::optional<size_t> axis_of(const Node& node, const StridedView& view) {
  const auto rank = static_cast<int64_t>(view.shape.size());
  int64_t axis = node.attributes.integer("axis");
  if (axis < 0) axis += rank;
  return axis >= 0 && axis < rank ? std::optional(static_cast<size_t>(axis)) : std::nullopt;
}

void drop(StridedView& view, size_t axis) {
  view.shape.erase(view.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  view.strides.erase(view.strides.begin() + static_cast<std::ptrdiff_t>(axis));
}

/// One index of an axis.
bool gather(const Region& region, const Node& node, StridedView& view) {
  const Tensor* index = region.constant_input(node, 1);
  const auto axis = axis_of(node, view);
  if (index == nullptr || index->rank() != 0 || !axis) return false;
  int64_t i = to_ints(*index)[0];
  if (i < 0) i += view.shape[*axis];
  if (i < 0 || i >= view.shape[*axis]) return false;
  view.offset += i * view.strides[*axis];
  drop(view, *axis);
  return true;
}

/// One of the parts, which lie inside the axis: lengths come from the file, and are checked by whoever reads
/// it or here.
bool split(const Region& region, const Node& node, ValueId output, StridedView& view) {
  const auto axis = axis_of(node, view);
  if (!axis) return false;
  int64_t left = view.shape[*axis];
  for (ValueId id : node.outputs) {
    const auto shape = shape_of(region, id);
    if (!shape || shape->size() != view.shape.size()) return false;
    const int64_t length = (*shape)[*axis];
    if (length < 0 || length > left) return false;
    if (id == output) {
      view.shape[*axis] = length;
      return true;
    }
    view.offset += length * view.strides[*axis];
    left -= length;
  }
  return false;
}

bool squeeze(const Region& region, const Node& node, StridedView& view) {
  Ints axes;
  if (node.has_input(1)) {
    const auto given = constant_ints(region, node, 1);
    if (!given) return false;
    auto normal = normalize_axes(*given, static_cast<int64_t>(view.shape.size()));
    if (!normal.ok()) return false;
    axes = *normal;
  } else {
    for (size_t i = 0; i < view.shape.size(); ++i)
      if (view.shape[i] == 1) axes.push_back(static_cast<int64_t>(i));
  }
  std::ranges::sort(axes, std::greater());
  for (int64_t axis : axes) drop(view, static_cast<size_t>(axis));
  return true;
}

bool unsqueeze(const Region& region, const Node& node, StridedView& view) {
  const auto given = constant_ints(region, node, 1);
  if (!given) return false;
  auto axes = normalize_axes(*given, static_cast<int64_t>(view.shape.size() + given->size()));
  if (!axes.ok()) return false;
  std::ranges::sort(*axes);
  for (int64_t axis : *axes) {
    view.shape.insert(view.shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    view.strides.insert(view.strides.begin() + static_cast<std::ptrdiff_t>(axis), 0);
  }
  return true;
}

/// Each group of dimensions of the old shape that becomes a group of the new one has to lie evenly.
bool reshape(const Ints& shape, StridedView& view) {
  if (!element_count(Shape(shape.begin(), shape.end())).ok()) return false;
  Ints old_shape, old_strides, strides(shape.size(), 0);
  for (size_t i = 0; i < view.shape.size(); ++i) {
    if (view.shape[i] == 0) return false;
    if (view.shape[i] == 1) continue;
    old_shape.push_back(view.shape[i]);
    old_strides.push_back(view.strides[i]);
  }
  size_t from = 0, to = 0;
  while (from < old_shape.size() && to < shape.size()) {
    size_t from_end = from + 1, to_end = to + 1;
    int64_t old_count = old_shape[from], new_count = shape[to];
    while (old_count != new_count) {
      if (old_count < new_count) {
        if (from_end == old_shape.size()) return false;
        old_count *= old_shape[from_end++];
      } else {
        if (to_end == shape.size() || new_count == 0) return false;
        new_count *= shape[to_end++];
      }
    }
    for (size_t i = from; i + 1 < from_end; ++i)
      if (old_strides[i] != old_strides[i + 1] * old_shape[i + 1]) return false;
    int64_t stride = old_strides[from_end - 1];
    for (size_t i = to_end; i > to; --i) {
      strides[i - 1] = stride;
      stride *= shape[i - 1];
    }
    from = from_end;
    to = to_end;
  }
  if (from != old_shape.size() || std::any_of(shape.begin() + static_cast<std::ptrdiff_t>(to), shape.end(),
                                              [](int64_t d) { return d != 1; }))
    return false;
  view.shape = shape;
  view.strides = strides;
  return true;
}

bool scale(const Region& region, const Node& node, StridedView& view) {
  if (view.scale) return false;
  for (size_t i : {0, 1})
    if (const auto number = constant_number(*region.graph, node.inputs[i])) view.scale = number;
  return view.scale.has_value();
}

/// The view after the node, whose output `id` is.
bool apply(const Region& region, const Node& node, ValueId id, StridedView& view) {
  const auto shape = shape_of(region, id);
  if (!shape) return false;
  bool is_view = false;
  if (node.op == Op::kTranspose) is_view = transpose(node, view);
  if (node.op == Op::kGather) is_view = gather(region, node, view);
  if (node.op == Op::kSplit) is_view = split(region, node, id, view);
  if (node.op == Op::kSqueeze) is_view = squeeze(region, node, view);
  if (node.op == Op::kUnsqueeze) is_view = unsqueeze(region, node, view);
  if (node.op == Op::kReshape) is_view = reshape(*shape, view);
  if (node.op == Op::kMul) is_view = scale(region, node, view);
  return is_view && view.shape == *shape;
}

}  // namespace

ValueId viewed_operand(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::kSplit:
      if (node.outputs.size() > kPartsMax) return kNoValue;
      [[fallthrough]];
    case Op::kTranspose:
    case Op::kGather:
    case Op::kSqueeze:
    case Op::kUnsqueeze:
    case Op::kReshape:
      return node.has_input(0) && graph.constant(node.inputs[0]) == nullptr ? node.inputs[0] : kNoValue;
    default:
      return scaled_operand(graph, node);
  }
}

std::optional<StridedView> strided_view(const Region& region, ValueId id) {
  // The nodes from an input of the region to the value, last first.
  std::vector<std::pair<const Node*, ValueId>> chain;
  ValueId current = id;
  auto input = std::ranges::find(region.inputs, current);
  for (size_t n = region.anchor; n > 0 && input == region.inputs.end(); --n) {
    const Node& node = *region.nodes[n - 1];
    if (std::ranges::find(node.outputs, current) == node.outputs.end()) continue;
    chain.emplace_back(&node, current);
    current = viewed_operand(*region.graph, node);
    if (current == kNoValue) return std::nullopt;
    input = std::ranges::find(region.inputs, current);
  }
  if (input == region.inputs.end()) return std::nullopt;
  const auto shape = shape_of(region, current);
  if (!shape) return std::nullopt;
  const auto elements = element_count(Shape(shape->begin(), shape->end()));
  if (!elements.ok() || *elements == 0) return std::nullopt;
  StridedView view;
  view.input = static_cast<size_t>(input - region.inputs.begin());
  view.shape = *shape;
  view.strides.resize(shape->size());
  int64_t count = 1;
  for (size_t i = shape->size(); i > 0; --i) {
    view.strides[i - 1] = count;
    count *= (*shape)[i - 1];
  }
  view.elements = *elements;
  for (size_t n = chain.size(); n > 0; --n)
    if (!apply(region, *chain[n - 1].first, chain[n - 1].second, view)) return std::nullopt;
  if (std::ranges::find(view.shape, 0) != view.shape.end()) return std::nullopt;
  return view;
}

}  // namespace tenon::ops
