#include "lower/aten/means.h"

#include <limits>

#include "lower/aten/math.h"

namespace tenon::lower {

namespace {

// How many elements become one, when that is known.
enum class Count : uint8_t { kNone, kSome, kUnknown };

Result<Count> count_of(LowerContext& context, ValueId x, const std::vector<int64_t>& axes) {
  const SymShape shape = TENON_TRY(context.known_shape(x));
  const auto rank = static_cast<int64_t>(shape.size());
  bool all_positive = true;
  for (int64_t axis = 0; axis < rank; ++axis) {
    bool reduced = axes.empty();
    for (int64_t given : axes) reduced = reduced || TENON_TRY(ops::normalize_axis(given, rank)) == axis;
    if (!reduced) continue;
    const SymInt& size = shape[static_cast<size_t>(axis)];
    if (size.is(0)) return Count::kNone;
    all_positive = all_positive && context.lowering().is_positive(size);
  }
  return all_positive ? Count::kSome : Count::kUnknown;
}

}  // namespace

Result<ValueId> mean_over(LowerContext& context, ValueId x, const std::vector<int64_t>& axes, bool keepdim) {
  Math m(context.builder());
  const Count count = TENON_TRY(count_of(context, x, axes));
  const ValueId nan = m.number(x, std::numeric_limits<double>::quiet_NaN());
  if (count == Count::kNone) return m.add(TENON_TRY(m.reduce(Op::kReduceSum, x, axes, keepdim)), nan);
  const ValueId mean = TENON_TRY(m.reduce(Op::kReduceMean, x, axes, keepdim));
  if (count == Count::kSome) return mean;
  const ValueId elements = TENON_TRY(m.count(x, axes, DataType::kInt64));
  const ValueId none = TENON_TRY(m.add_node(Op::kEqual, {elements, m.number(elements, 0)}));
  return m.where(none, nan, mean);
}

}  // namespace tenon::lower
