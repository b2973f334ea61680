// Embeddings: rows of a table by index, one by one or gathered in bags.
#include <limits>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

Result<ValueId> rows_of_table(LowerContext& context, ValueId indices) {
  return context.add(Op::kGather, {TENON_TRY(context.tensor("weight")), indices}, {{"axis", int64_t{0}}});
}

Status lower_embedding(LowerContext& context) {
  return context.finish(rows_of_table(context, TENON_TRY(context.tensor("indices"))));
}

/// True at (bag, index) when the bag holds the index: offset <= position < the next offset.
Result<ValueId> membership(LowerContext& context, ValueId indices) {
  ValueId starts = TENON_TRY(context.cast(TENON_TRY(context.tensor("offsets")), DataType::kInt64));
  const Size count = TENON_TRY(size_of(context, indices, 0));
  const ValueId total = TENON_TRY(size_vector(context, {count}));
  ValueId ends;
  if (TENON_TRY(context.args().boolean("include_last_offset"))) {
    ends = TENON_TRY(slice(context, starts, 0, 1, kToEnd));
    starts = TENON_TRY(slice(context, starts, 0, 0, -1));
  } else {
    const ValueId later = TENON_TRY(slice(context, starts, 0, 1, kToEnd));
    ends = TENON_TRY(context.add(Op::kConcat, {later, total}, {{"axis", int64_t{0}}}));
  }
  const std::vector<ValueId> bounds{context.number(DataType::kInt64, 0),
                                    TENON_TRY(size_scalar(context, count)),
                                    context.number(DataType::kInt64, 1)};
  const ValueId positions = TENON_TRY(context.add(Op::kRange, bounds));
  const ValueId from = TENON_TRY(unsqueeze(context, starts, {1})),
                to = TENON_TRY(unsqueeze(context, ends, {1}));
  // Written with Less alone: LessOrEqual exists since opset 12 only.
  const ValueId before = TENON_TRY(context.add(Op::kLess, {positions, from}));
  const ValueId begun = TENON_TRY(context.add(Op::kNot, {before}));
  const ValueId open = TENON_TRY(context.add(Op::kLess, {positions, to}));
  return context.add(Op::kAnd, {begun, open});
}

// Sums (mode 0), means (1) or maxima (2) of the rows in each bag; an empty bag gives zeros.
Status lower_embedding_bag(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  Math m(context.builder());
  const ValueId indices = TENON_TRY(context.cast(TENON_TRY(context.tensor("indices")), DataType::kInt64));
  const int64_t mode = TENON_TRY(args.integer("mode"));
  ValueId rows = TENON_TRY(rows_of_table(context, indices));
  const DataType element = context.element(rows);
  const ValueId weights = TENON_TRY(context.optional_tensor("per_sample_weights"));
  if (weights != kNoValue) rows = TENON_TRY(m.mul(rows, TENON_TRY(unsqueeze(context, weights, {1}))));
  ValueId member = TENON_TRY(membership(context, indices));
  const auto padding =
      args.has("padding_idx") ? TENON_TRY(args.optional_integer("padding_idx")) : std::nullopt;
  if (padding && *padding >= 0) {
    const ValueId skipped = TENON_TRY(
        context.add(Op::kEqual, {indices, context.number(DataType::kInt64, static_cast<double>(*padding))}));
    member = TENON_TRY(context.add(Op::kAnd, {member, TENON_TRY(context.add(Op::kNot, {skipped}))}));
  }
  const ValueId share = TENON_TRY(context.cast(member, element));
  const ValueId count = TENON_TRY(m.reduce(Op::kReduceSum, share, {1}, true));
  ValueId result;
  if (mode == 2) {
    const ValueId lowest = m.number(rows, -std::numeric_limits<double>::infinity());
    const ValueId held = TENON_TRY(m.where(TENON_TRY(unsqueeze(context, member, {2})),
                                           TENON_TRY(unsqueeze(context, rows, {0})), lowest));
    const ValueId best = TENON_TRY(m.reduce(Op::kReduceMax, held, {1}, false));
    const ValueId filled = TENON_TRY(context.add(Op::kGreater, {count, m.number(count, 0)}));
    result = TENON_TRY(m.where(filled, best, m.number(best, 0)));
  } else {
    result = TENON_TRY(context.add(Op::kMatMul, {share, rows}));
    if (mode == 1) {
      const ValueId divisor = TENON_TRY(context.add(Op::kMax, {count, m.number(count, 1)}));
      result = TENON_TRY(m.div(result, divisor));
    }
  }
  return context.finish({result, kNoValue, kNoValue, kNoValue});
}

constexpr Handler kHandlers[] = {
    {"aten.embedding.default", lower_embedding},
    {"aten.embedding_bag.default", lower_embedding_bag},
    {"aten.embedding_bag.padding_idx", lower_embedding_bag},
    {"aten._embedding_bag.default", lower_embedding_bag},
    {"aten._embedding_bag_forward_only.default", lower_embedding_bag},
};

}  // namespace

std::span<const Handler> embedding_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
