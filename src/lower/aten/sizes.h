// Dimensions on their way from an ATen program to ONNX: what handlers use to speak of sizes that may be
// symbolic without losing those that are not.
#pragma once

#include <optional>
#include <vector>

#include "lower/context.h"

namespace tenon::lower {

/// One dimension: a number, or a one-dimensional int64 value with one element.
struct Size {
  int64_t number = 0;
  ValueId dynamic = kNoValue;

  Size(int64_t value) : number(value) {}  // NOLINT: implicit by design
  explicit Size(ValueId value) : dynamic(value) {}
  bool is_number() const { return dynamic == kNoValue; }
};

/// The size of a dimension (non-negative axis) of a tensor; computed by the model when it is symbolic.
Result<Size> size_of(LowerContext& context, ValueId tensor, int64_t axis);
/// The sizes of all dimensions.
Result<std::vector<Size>> sizes_of(LowerContext& context, ValueId tensor);
/// A list of integers of the node as sizes.
Result<std::vector<Size>> size_list(LowerContext& context, const aten::SymIntList& items);
/// An integer of the node as a size.
Result<Size> size_argument(LowerContext& context, std::string_view name);
/// a + b, a - b, a * b, computed by the model where one is dynamic.
Result<Size> combine(LowerContext& context, Op op, const Size& a, const Size& b);
/// A one-dimensional int64 value of the sizes, constant when all are numbers.
Result<ValueId> size_vector(LowerContext& context, const std::vector<Size>& sizes);
/// An int64 value of rank 0.
Result<ValueId> size_scalar(LowerContext& context, const Size& size);

/// Reshape. A number -1 (at most one) takes what is left. Sizes that equal the tensor's own dimension at
/// their place, and a single dynamic size, are written as 0 and -1, so that no shape needs to be computed.
Result<ValueId> reshape(LowerContext& context, ValueId tensor, std::vector<Size> sizes);
Result<ValueId> unsqueeze(LowerContext& context, ValueId tensor, std::vector<int64_t> axes);
Result<ValueId> squeeze(LowerContext& context, ValueId tensor, std::vector<int64_t> axes);
/// Transpose, or the tensor itself when the permutation changes nothing.
Result<ValueId> permute(LowerContext& context, ValueId tensor, std::vector<int64_t> permutation);
/// Moves an axis to another place; the others keep their order.
Result<ValueId> move_axis(LowerContext& context, ValueId tensor, int64_t from, int64_t to);
/// Elements [start, end) of an axis, `step` apart. Numbers may count from the end; a large end means all.
Result<ValueId> slice(LowerContext& context, ValueId tensor, int64_t axis, const Size& start, const Size& end,
                      int64_t step = 1);
/// Expand to the sizes (numbers of 1 keep the tensor's dimension).
Result<ValueId> expand(LowerContext& context, ValueId tensor, const std::vector<Size>& sizes);
/// Expand to the shape of another tensor.
Result<ValueId> expand_like(LowerContext& context, ValueId tensor, ValueId like);

/// An integer argument as an axis, made non-negative for `rank` (a rank of 0 counts as 1, as in PyTorch).
Result<int64_t> axis_argument(LowerContext& context, std::string_view name, int64_t rank);
/// The known constant shape, or nullopt.
std::optional<Shape> static_shape(LowerContext& context, ValueId tensor);

/// One number stands for all `count` spatial dimensions.
std::vector<int64_t> spread(std::vector<int64_t> values, size_t count);

/// "To the end" as a bound of slice.
inline constexpr int64_t kToEnd = INT64_MAX;

}  // namespace tenon::lower
