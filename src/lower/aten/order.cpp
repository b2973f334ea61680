// Operators that look for the greatest or least, sort, or accumulate along a dimension.
#include <algorithm>
#include <limits>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"
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
  const ValueId k =
      TENON_TRY(context.add(Op::kUnsqueeze, {TENON_TRY(context.int_scalar("k")), context.ints({0})}));
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

// y[i] = x[0] op ... op x[i] along an axis, in log2(length) steps: each combines the sums of neighbouring
// runs.
using Combine = Result<ValueId> (*)(LowerContext&, ValueId, ValueId);
Result<ValueId> prefix_scan(LowerContext& context, ValueId x, int64_t axis, Combine combine) {
  const SymShape shape = TENON_TRY(context.known_shape(x));
  if (shape.empty()) return context.add(Op::kIdentity, {x});
  axis = TENON_TRY(ops::normalize_axis(axis, static_cast<int64_t>(shape.size())));
  const auto length = shape[static_cast<size_t>(axis)].constant();
  if (!length) return context.unsupported("a running result over a dimension that is not fixed");
  ValueId y = x;
  for (int64_t run = 1; run < *length; run *= 2) {
    const ValueId done = TENON_TRY(slice(context, y, axis, Size(0), Size(run)));
    const ValueId later = TENON_TRY(slice(context, y, axis, Size(run), Size(kToEnd)));
    const ValueId earlier = TENON_TRY(slice(context, y, axis, Size(0), Size(-run)));
    const ValueId joined = TENON_TRY(combine(context, earlier, later));
    y = TENON_TRY(context.add(Op::kConcat, {done, joined}, {{"axis", axis}}));
  }
  return y == x ? context.add(Op::kIdentity, {x}) : Result<ValueId>(y);
}

Status lower_logcumsumexp(LowerContext& context) {
  const ValueId x = TENON_TRY(Math(context.builder()).real(TENON_TRY(context.tensor("self"))));
  const int64_t dim = TENON_TRY(context.args().integer("dim"));
  return context.finish(prefix_scan(context, x, dim, [](LowerContext& c, ValueId a, ValueId b) {
    return Math(c.builder()).log_add(a, b);
  }));
}

// The k-th least element and its index, counted from 0, along an axis; rank at least 1.
// With `nan_wins` a NaN anywhere along the axis is the answer, and its first place the index.
Status finish_kth(LowerContext& context, ValueId x, int64_t axis, int64_t k, bool keepdim, bool nan_wins) {
  const std::vector<ValueId> least = TENON_TRY(top_k(context, x, context.ints({k + 1}), axis, false));
  std::vector<ValueId> results;
  for (ValueId part : least) results.push_back(TENON_TRY(slice(context, part, axis, Size(k), Size(k + 1))));
  if (nan_wins && is_float(context.element(x))) {
    Math m(context.builder());
    const ValueId nan = TENON_TRY(context.add(Op::kIsNaN, {x}));
    const ValueId flags = TENON_TRY(m.cast(nan, DataType::kInt32));
    const ValueId any = TENON_TRY(m.truth(TENON_TRY(m.reduce(Op::kReduceMax, flags, {axis}, true))));
    const ValueId place = TENON_TRY(context.add(Op::kArgMax, {flags}, {{"axis", axis}}));
    const double not_a_number = std::numeric_limits<double>::quiet_NaN();
    results[0] = TENON_TRY(m.where(any, m.number(x, not_a_number), results[0]));
    results[1] = TENON_TRY(m.where(any, place, results[1]));
  }
  if (!keepdim)
    for (ValueId& result : results) result = TENON_TRY(squeeze(context, result, {axis}));
  results.resize(std::max<size_t>(context.node().outputs.size(), 1));
  return context.finish(results);
}

Status lower_kth(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  const bool median = context.args().op() == "median";
  const bool whole = median && context.node().find_input("dim") == nullptr;
  if (whole) x = TENON_TRY(Math(context.builder()).reshape(x, {-1}));
  const SymShape shape = TENON_TRY(context.known_shape(x));
  const bool keepdim = !whole && TENON_TRY(context.args().boolean("keepdim"));
  if (shape.empty()) return context.finish({x, context.number(DataType::kInt64, 0)});
  const int64_t axis =
      whole ? 0 : TENON_TRY(axis_argument(context, "dim", static_cast<int64_t>(shape.size())));
  const auto length = shape[static_cast<size_t>(axis)].constant();
  if (median && (!length || *length == 0))
    return context.unsupported("the median over a dimension that is not fixed");
  const int64_t k = median ? (*length - 1) / 2 : TENON_TRY(context.args().integer("k")) - 1;
  return finish_kth(context, x, axis, k, keepdim, median);
}

Status lower_cumulative(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  DataType type = is_float(context.element(x)) ? context.element(x) : DataType::kInt64;
  type = TENON_TRY(context.args().optional_dtype("dtype")).value_or(type);
  x = TENON_TRY(context.cast(x, type));
  if (TENON_TRY(context.rank(x)) == 0) return context.finish(Op::kIdentity, {x});
  const int64_t dim = TENON_TRY(context.args().integer("dim"));
  const ValueId axis = context.builder().constant(Tensor::scalar(dim));
  if (context.args().op() == "cumsum") return context.finish(Op::kCumSum, {x, axis});
  // CumProd came with opset 26: over a fixed dimension products do.
  const SymShape shape = TENON_TRY(context.known_shape(x));
  const int64_t place = TENON_TRY(ops::normalize_axis(dim, static_cast<int64_t>(shape.size())));
  if (!shape[static_cast<size_t>(place)].constant()) return context.finish(Op::kCumProd, {x, axis});
  return context.finish(prefix_scan(
      context, x, place, [](LowerContext& c, ValueId a, ValueId b) { return c.add(Op::kMul, {a, b}); }));
}

constexpr Handler kHandlers[] = {
    {"aten.argmax", lower_arg},         {"aten.argmin", lower_arg},
    {"aten.max.dim", lower_max_dim},    {"aten.min.dim", lower_max_dim},
    {"aten.topk", lower_topk},          {"aten.sort", lower_sort},
    {"aten.argsort", lower_sort},       {"aten.cumsum", lower_cumulative},
    {"aten.cumprod", lower_cumulative}, {"aten.logcumsumexp.default", lower_logcumsumexp},
    {"aten.median", lower_kth},         {"aten.kthvalue.default", lower_kth},
};

}  // namespace

std::span<const Handler> order_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
