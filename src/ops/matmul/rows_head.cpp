#include "ops/matmul/rows_head.h"

#include <algorithm>
#include <numeric>

#include "ops/core/evaluate.h"
#include "ops/core/region_values.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

/// Rows are traced when a model is compiled, several times, and a table of them stays in the kernel.
constexpr int64_t kRowsMax = int64_t{1} << 18;

/// Rows of a value: where each comes from, [..., 1] in place of [..., row].
struct Rows {
  ValueId id;
  Tensor from;
  bool normalised = false;
};

int64_t axis_of(const Node& node, const char* name, int64_t fallback, size_t rank) {
  const int64_t axis = node.attributes.integer(name, fallback);
  return axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
}

class Tracer {
 public:
  explicit Tracer(const Region& region) : region_(region) {}

  std::optional<RowsHead> trace() {
    const Node& product = region_.anchor_node();
    const Tensor* matrix = region_.constant_input(product, 1);
    if (region_.anchor == 0 || product.op != Op::kMatMul || !product.has_input(0) || matrix == nullptr ||
        matrix->rank() != 2)
      return std::nullopt;
    depth_ = matrix->dim(0);
    for (const Node* node : std::span(region_.nodes).first(region_.anchor))
      if (!add(*node)) return std::nullopt;
    const Rows* rows = find(product.inputs[0]);
    if (rows == nullptr || rows->normalised != (head_.norm != nullptr) || rows->from.size() == 0)
      return std::nullopt;
    const auto input = std::ranges::find(region_.inputs, base_);
    if (input == region_.inputs.end()) return std::nullopt;
    head_.input = static_cast<size_t>(input - region_.inputs.begin());
    head_.shape = rows->from.shape();
    head_.shape.back() = depth_;
    const auto from = rows->from.span<int64_t>();
    for (int64_t row : from) head_.rows.push_back(static_cast<int32_t>(row));
    bool moves = rows->from.size() != numbers_.size();
    for (size_t i = 0; i < from.size() && !moves; ++i) moves = from[i] != static_cast<int64_t>(i);
    if (!moves) head_.rows.clear();
    return std::move(head_);
  }

 private:
  const Rows* find(ValueId id) const {
    const auto at = std::ranges::find(values_, id, &Rows::id);
    return at == values_.end() ? nullptr : &*at;
  }

  /// An operand of a node: made by the head, or its input.
  std::optional<Rows> operand(ValueId id) {
    if (id == kNoValue || region_.graph->constant(id) != nullptr) return std::nullopt;
    if (const Rows* rows = find(id)) return *rows;
    const auto shape = known_shape(region_, id);
    if (!shape || shape->size() < 2 || shape->back() != depth_ || (base_ != kNoValue && base_ != id))
      return std::nullopt;
    if (base_ == id) return Rows{id, numbers_};
    base_ = id;
    head_.input_shape = *shape;
    Shape rows = *shape;
    rows.back() = 1;
    const auto count = element_count(rows);
    if (!count.ok() || *count > kRowsMax) return std::nullopt;
    numbers_ = Tensor::allocate(DataType::kInt64, rows);
    std::iota(numbers_.mutable_data<int64_t>(), numbers_.mutable_data<int64_t>() + *count, 0);
    return Rows{id, numbers_};
  }

  bool is_norm(const Node& node, size_t rank) const {
    const Tensor *scale = region_.constant_input(node, 1), *bias = region_.constant_input(node, 2);
    const auto is_line = [&](const Tensor* tensor) {
      return tensor != nullptr && tensor->type() == DataType::kFloat32 && tensor->shape() == Shape{depth_};
    };
    return head_.norm == nullptr && axis_of(node, "axis", -1, rank) == static_cast<int64_t>(rank) - 1 &&
           !node.has_output(1) && !node.has_output(2) && is_line(scale) &&
           (!node.has_input(2) || is_line(bias));
  }

  /// Whether the node leaves rows whole, which is not seen where their numbers are one element long.
  bool keeps_rows(const Node& node, size_t rank) const {
    const auto last = static_cast<int64_t>(rank) - 1;
    if (node.op == Op::kConcat) return axis_of(node, "axis", 0, rank) != last;
    if (node.op == Op::kTranspose) {
      const std::vector<int64_t> perm = node.attributes.integers("perm");
      return perm.size() == rank && perm.back() == last;
    }
    const Tensor* axes = region_.constant_input(node, 3);  // of a Slice
    if (axes == nullptr) return false;
    return std::ranges::none_of(to_ints(*axes), [&](int64_t axis) { return axis == last || axis == -1; });
  }

  bool add(const Node& node) {
    if (!can_be_in_rows_head(node) || !node.has_output(0)) return false;
    const auto first = operand(node.has_input(0) ? node.inputs[0] : kNoValue);
    if (!first) return false;
    Rows made = *first;
    made.id = node.outputs[0];
    const auto rank = static_cast<size_t>(first->from.rank());
    if (node.op == Op::kLayerNormalization) {
      if (first->normalised || !is_norm(node, rank)) return false;
      head_.norm = &node;
      made.normalised = true;
    } else if (node.op == Op::kReshape || node.op == Op::kSqueeze || node.op == Op::kUnsqueeze) {
      auto shape = known_shape(region_, made.id);
      if (!shape || shape->empty() || shape->back() != depth_) return false;
      shape->back() = 1;
      const auto count = element_count(*shape);
      if (!count.ok() || *count != first->from.size()) return false;
      made.from = first->from.reshaped(*shape);
    } else {
      const auto shape = known_shape(region_, made.id);
      if (!keeps_rows(node, rank) || !shape) return false;
      const auto count = element_count(*shape);
      if (!count.ok() || *count > kRowsMax * depth_) return false;
      std::vector<Value> inputs;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (i > 0 && node.op != Op::kConcat) {
          const Tensor* constant = region_.constant_input(node, i);
          if (constant == nullptr && node.has_input(i)) return false;
          inputs.push_back(constant != nullptr ? Value(*constant) : Value());
          continue;
        }
        const auto rows = operand(node.inputs[i]);
        if (!rows || rows->normalised != first->normalised) return false;
        inputs.push_back(Value(rows->from));
      }
      std::vector<const Value*> given;
      for (size_t i = 0; i < inputs.size(); ++i) given.push_back(node.has_input(i) ? &inputs[i] : nullptr);
      auto outputs = evaluate_node(node, given);
      if (!outputs.ok() || !(*outputs)[0].is_tensor() || (*outputs)[0].tensor().size() > kRowsMax)
        return false;
      made.from = (*outputs)[0].tensor();
    }
    values_.push_back(std::move(made));
    return true;
  }

  const Region& region_;
  RowsHead head_;
  int64_t depth_ = 0;
  Tensor numbers_;  // of the rows of the input
  ValueId base_ = kNoValue;
  std::vector<Rows> values_;
};

}  // namespace

bool can_be_in_rows_head(const Node& node) {
  switch (node.op) {
    case Op::kLayerNormalization:
    case Op::kReshape:
    case Op::kSqueeze:
    case Op::kUnsqueeze:
    case Op::kTranspose:
    case Op::kSlice:
    case Op::kConcat:
      return true;
    default:
      return false;
  }
}

std::optional<RowsHead> rows_head(const Region& region) {
  return Tracer(region).trace();
}

}  // namespace tenon::ops
