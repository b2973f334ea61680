// Operators that look for the greatest or least, sort, or accumulate along a dimension.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// Without a dimension the index counts in the flattened tensor.
Status lower_arg(LowerContext& context) {
  const Op op = context.args().op() == "argmax" ? Op::kArgMax : Op::kArgMin;
  const ValueId x = TENON_TRY(context.tensor("self"));
  const auto axis = TENON_TRY(context.args().optional_integer("dim"));
  const bool keepdim = TENON_TRY(context.args().boolean("keepdim"));
  const int64_t rank = TENON_TRY(context.rank(x));
  Math m(context.builder());
  if (axis && rank > 0) return context.finish(op, {x}, {{"axis", *axis}, {"keepdims", int64_t{keepdim}}});
  const ValueId flat = TENON_TRY(m.reshape(x, {-1}));
  const ValueId index = TENON_TRY(context.add(op, {flat}, {{"axis", int64_t{0}}, {"keepdims", int64_t{0}}}));
  if (!keepdim || rank == 0) return context.finish(index);
  return context.finish(m.reshape(index, std::vector<int64_t>(static_cast<size_t>(rank), 1)));
}

// Values and indices.
Status lower_max_dim(LowerContext& context) {
  const bool largest = context.args().op() == "max";
  const ValueId x = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(context.args().integer("dim"));
  const bool keepdim = TENON_TRY(context.args().boolean("keepdim"));
  if (TENON_TRY(context.rank(x)) == 0)
    return context.finish(std::vector<ValueId>{x, context.number(DataType::kInt64, 0)});
  Math m(context.builder());
  const ValueId values = TENON_TRY(m.reduce(largest ? Op::kReduceMax : Op::kReduceMin, x, {axis}, keepdim));
  const ValueId indices = TENON_TRY(context.add(largest ? Op::kArgMax : Op::kArgMin, {x},
                                                {{"axis", axis}, {"keepdims", int64_t{keepdim}}}));
  return context.finish(std::vector<ValueId>{values, indices});
}

Result<std::vector<ValueId>> top_k(LowerContext& context, ValueId x, ValueId k, int64_t axis, bool largest) {
  return context.add_multi(Op::kTopK, {x, k},
                           {{"axis", axis}, {"largest", int64_t{largest}}, {"sorted", int64_t{1}}}, 2);
}

Status lower_topk(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const ValueId k = TENON_TRY(context.add(Op::kUnsqueeze, {
    TENON_TRY(context.int_scalar("k"))
    , context.ints({0})
  }));
  const aten::ArgumentReader& args = context.args();
  return context.finish(
      TENON_TRY(top_k(context, x, k, TENON_TRY(args.integer("dim")), TENON_TRY(args.boolean("largest")))));
}

// All elements are the top ones. TopK keeps the order of equal elements, so that it is stable.
Status lower_sort(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(context.args().integer("dim"));
  const bool descending = TENON_TRY(context.args().boolean("descending"));
  const bool indices_only = context.args().op() == "argsort";
  const SymShape shape = TENON_TRY(context.known_shape(x));
  if (shape.empty()) {
    const ValueId zero = context.number(DataType::kInt64, 0);
    return indices_only ? context.finish(zero) : context.finish(std::vector<ValueId>{x, zero});
  }
  Math m(context.builder());
  const ValueId length = TENON_TRY(m.count(x, {axis}, DataType::kInt64));
  const ValueId k = TENON_TRY(m.reshape(length, {1}));
  const std::vector<ValueId> sorted = TENON_TRY(top_k(context, x, k, axis, descending));
  return indices_only ? context.finish(sorted[1]) : context.finish(sorted);
}

Status lower_cumulative(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  DataType type = is_float(context.element(x)) ? context.element(x) : DataType::kInt64;
  type = TENON_TRY(context.args().optional_dtype("dtype"))
  .value_or(type);
  x = TENON_TRY(context.cast(x, type));
  if (TENON_TRY(context.rank(x)) == 0) return context.finish(Op::kIdentity, {x});
  const ValueId axis = context.builder().constant(Tensor::scalar(TENON_TRY(context.args().integer("dim"))));
  return context.finish(context.args().op() == "cumsum" ? Op::kCumSum : Op::kCumProd, {x, axis});
}

constexpr Handler kHandlers[] = {
    {"aten.argmax", lower_arg},      {"aten.argmin", lower_arg},        {"aten.max.dim", lower_max_dim},
    {"aten.min.dim", lower_max_dim}, {"aten.topk", lower_topk},         {"aten.sort", lower_sort},
    {"aten.argsort", lower_sort},    {"aten.cumsum", lower_cumulative}, {"aten.cumprod", lower_cumulative},
};

}  // namespace

std::span<const Handler> order_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
