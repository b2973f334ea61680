// Lowering of searches in sorted sequences.
#include "lower/aten/families.h"
#include "lower/aten/sizes.h"
#include "lower/aten/type_promotion.h"

namespace tenon::lower {

namespace {

// For each value the number of boundaries before it: those less than it, or (`right`) not greater.
// `boundaries` has the sequence in its last dimension.
Status count_boundaries(LowerContext& context, ValueId boundaries, ValueId values, bool right) {
  const DataType type = TENON_TRY(context.output_meta())->type;
  const DataType common = aten::promote_types(context.element(boundaries), context.element(values));
  boundaries = TENON_TRY(context.cast(boundaries, common));
  values = TENON_TRY(context.cast(values, common));
  const int64_t sequence_rank = TENON_TRY(context.rank(boundaries)), rank = TENON_TRY(context.rank(values));
  ValueId column = TENON_TRY(unsqueeze(context, values, {rank}));
  ValueId row =
      sequence_rank > 1 ? TENON_TRY(unsqueeze(context, boundaries, {sequence_rank - 1})) : boundaries;
  ValueId before = TENON_TRY(context.add(right ? Op::kLessOrEqual : Op::kLess, {row, column}));
  ValueId ones = TENON_TRY(context.cast(before, type));
  return context.finish(Op::kReduceSum, {ones, context.ints({rank})}, {{"keepdims", int64_t{0}}});
}

Result<bool> is_right(LowerContext& context) {
  if (context.args().has("side")) return TENON_TRY(context.args().string("side")) == "right";
  return TENON_TRY(context.args().boolean("right"));
}

Status bucketize_tensor(LowerContext& context) {
  return count_boundaries(context, TENON_TRY(context.tensor("boundaries")), TENON_TRY(context.tensor("self")),
                          TENON_TRY(context.args().boolean("right")));
}

Status bucketize_scalar(LowerContext& context) {
  ValueId boundaries = TENON_TRY(context.tensor("boundaries"));
  ValueId value = TENON_TRY(context.scalar("self", context.element(boundaries)));
  return count_boundaries(context, boundaries, value, TENON_TRY(context.args().boolean("right")));
}

Result<ValueId> sorted_sequence(LowerContext& context) {
  ValueId sequence = TENON_TRY(context.tensor("sorted_sequence"));
  ValueId sorter = TENON_TRY(context.optional_tensor("sorter"));
  if (sorter == kNoValue) return sequence;
  return context.add(Op::kGatherElements, {sequence, sorter}, {{"axis", int64_t{-1}}});
}

Status searchsorted_tensor(LowerContext& context) {
  return count_boundaries(context, TENON_TRY(sorted_sequence(context)), TENON_TRY(context.tensor("self")),
                          TENON_TRY(is_right(context)));
}

Status searchsorted_scalar(LowerContext& context) {
  ValueId sequence = TENON_TRY(sorted_sequence(context));
  ValueId value = TENON_TRY(context.scalar("self", context.element(sequence)));
  return count_boundaries(context, sequence, value, TENON_TRY(is_right(context)));
}

constexpr Handler kHandlers[] = {
    {"aten.bucketize.Tensor", bucketize_tensor},
    {"aten.bucketize.Scalar", bucketize_scalar},
    {"aten.searchsorted.Tensor", searchsorted_tensor},
    {"aten.searchsorted.Scalar", searchsorted_scalar},
};

}  // namespace

std::span<const Handler> searching_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
