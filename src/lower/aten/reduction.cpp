// Reductions: sums, means, extrema, variances and norms over some or all dimensions.
#include <cmath>
#include <limits>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/means.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// The dimensions to reduce, whatever the overload calls them; empty: all. A tensor of rank 0 has none to
// name.
struct Axes {
  std::vector<int64_t> axes;
  bool keepdim = false;
};

Result<Axes> axes_of(LowerContext& context) {
  Axes out;
  const aten::ArgumentReader& args = context.args();
  if (args.has("dim")) {
    const aten::Argument dim = TENON_TRY(args.argument("dim"));
    if (dim.get<int64_t>() != nullptr)
      out.axes = {TENON_TRY(args.integer("dim"))};
    else if (!dim.is_none())
      out.axes = TENON_TRY(args.integers("dim"));
  }
  if (args.has("keepdim")) out.keepdim = TENON_TRY(args.boolean("keepdim"));
  if (args.has("self") && TENON_TRY(context.rank(TENON_TRY(context.tensor("self")))) == 0) out.axes.clear();
  return out;
}

// Dimensions of a scalar are none.
Status finish_reduced(LowerContext& context, Op op, ValueId x, const Axes& axes) {
  if (TENON_TRY(context.rank(x)) == 0 &&
      (op == Op::kReduceSum || op == Op::kReduceMax || op == Op::kReduceMin || op == Op::kReduceProd))
    return context.finish(Op::kIdentity, {x});
  return context.finish(Math(context.builder()).reduce(op, x, axes.axes, axes.keepdim));
}

// Integers and bools sum up as int64, unless a type is asked for.
Result<ValueId> summand(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  DataType type = context.element(x);
  if (!is_float(type)) type = DataType::kInt64;
  if (context.args().has("dtype")) type = TENON_TRY(context.args().optional_dtype("dtype")).value_or(type);
  return context.cast(x, type);
}

Status lower_sum(LowerContext& context) {
  const Op op = context.args().op() == "prod" ? Op::kReduceProd : Op::kReduceSum;
  const Axes axes = TENON_TRY(axes_of(context));
  return finish_reduced(context, op, TENON_TRY(summand(context)), axes);
}

Status lower_mean(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  if (const auto type = TENON_TRY(context.args().optional_dtype("dtype")))
    x = TENON_TRY(context.cast(x, *type));
  if (TENON_TRY(context.rank(x)) == 0) return context.finish(Op::kIdentity, {x});
  const Axes axes = TENON_TRY(axes_of(context));
  return context.finish(mean_over(context, x, axes.axes, axes.keepdim));
}

// ONNX reduces bools since opset 20 only: they pass through int32.
Result<ValueId> extremum(LowerContext& context, Op op, ValueId x, const Axes& axes) {
  Math m(context.builder());
  if (TENON_TRY(m.rank(x)) == 0) return x;
  if (m.type(x) != DataType::kBool) return m.reduce(op, x, axes.axes, axes.keepdim);
  const ValueId reduced =
      TENON_TRY(m.reduce(op, TENON_TRY(m.cast(x, DataType::kInt32)), axes.axes, axes.keepdim));
  return m.cast(reduced, DataType::kBool);
}

Status lower_amax(LowerContext& context) {
  const bool largest = context.args().op() == "amax" || context.args().op() == "max";
  const ValueId x = TENON_TRY(context.tensor("self"));
  return context.finish(
      extremum(context, largest ? Op::kReduceMax : Op::kReduceMin, x, TENON_TRY(axes_of(context))));
}

Status lower_aminmax(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const Axes axes = TENON_TRY(axes_of(context));
  const ValueId low = TENON_TRY(extremum(context, Op::kReduceMin, x, axes));
  const ValueId high = TENON_TRY(extremum(context, Op::kReduceMax, x, axes));
  return context.finish(std::vector<ValueId>{low, high});
}

// Whether all or any elements are not zero: all are when none is zero. Of nothing, the maximum of integers is
// not above 0 in any runtime.
Status lower_all_any(LowerContext& context) {
  const bool all = context.args().op() == "all";
  Math m(context.builder());
  const ValueId truth = TENON_TRY(m.truth(TENON_TRY(context.tensor("self"))));
  const Axes axes = TENON_TRY(axes_of(context));
  if (TENON_TRY(m.rank(truth)) == 0) return context.finish(Op::kIdentity, {truth});
  const ValueId sought = all ? TENON_TRY(m.add_node(Op::kNot, {truth})) : truth;
  const ValueId number = TENON_TRY(m.cast(sought, DataType::kInt32));
  const ValueId most = TENON_TRY(m.reduce(Op::kReduceMax, number, axes.axes, axes.keepdim));
  const ValueId found = TENON_TRY(m.add_node(Op::kGreater, {most, m.number(most, 0)}));
  return all ? context.finish(Op::kNot, {found}) : context.finish(found);
}

Status lower_count_nonzero(LowerContext& context) {
  const ValueId truth = TENON_TRY(context.cast(TENON_TRY(context.tensor("self")), DataType::kBool));
  return finish_reduced(context, Op::kReduceSum, TENON_TRY(context.cast(truth, DataType::kInt64)),
                        TENON_TRY(axes_of(context)));
}

// Sum of squared distances from the mean, divided by (count - correction).
struct Moments {
  ValueId mean, variance;
};
Result<Moments> moments(LowerContext& context, const Axes& axes) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  double correction = 1;
  if (context.args().has("correction"))
    correction = TENON_TRY(context.args().optional_number("correction")).value_or(1);
  else if (context.args().has("unbiased"))
    correction = TENON_TRY(context.args().boolean("unbiased")) ? 1 : 0;
  Math m(context.builder());
  const ValueId centre = TENON_TRY(m.reduce(Op::kReduceMean, x, axes.axes, true));
  const ValueId distance = TENON_TRY(m.sub(x, centre));
  const ValueId square = TENON_TRY(m.mul(distance, distance));
  Moments out{};
  out.mean = TENON_TRY(mean_over(context, x, axes.axes, axes.keepdim));
  if (correction == 0) {
    out.variance = TENON_TRY(mean_over(context, square, axes.axes, axes.keepdim));
    return out;
  }
  const ValueId sum = TENON_TRY(m.reduce(Op::kReduceSum, square, axes.axes, axes.keepdim));
  const ValueId count = TENON_TRY(m.count(x, axes.axes, m.type(x)));
  const ValueId freedom = TENON_TRY(m.sub(count, m.number(x, correction)));
  const ValueId divisor = TENON_TRY(m.add_node(Op::kMax, {freedom, m.number(x, 0)}));
  out.variance = TENON_TRY(m.div(sum, divisor));
  return out;
}

Status lower_variance(LowerContext& context) {
  const Moments result = TENON_TRY(moments(context, TENON_TRY(axes_of(context))));
  const std::string_view name = context.args().op();
  ValueId spread = result.variance;
  if (name == "std" || name == "std_mean") spread = TENON_TRY(context.add(Op::kSqrt, {spread}));
  if (name == "var_mean" || name == "std_mean")
    return context.finish(std::vector<ValueId>{spread, result.mean});
  return context.finish(spread);
}

Result<ValueId> vector_norm(LowerContext& context, ValueId x, double order, const Axes& axes) {
  Math m(context.builder());
  if (order == 2) return m.reduce(Op::kReduceL2, x, axes.axes, axes.keepdim);
  if (order == 1) return m.reduce(Op::kReduceL1, x, axes.axes, axes.keepdim);
  if (order == 0) {
    const ValueId truth = TENON_TRY(m.truth(x));
    return m.reduce(Op::kReduceSum, TENON_TRY(m.cast(truth, m.type(x))), axes.axes, axes.keepdim);
  }
  const ValueId size = TENON_TRY(m.add_node(Op::kAbs, {x}));
  if (std::isinf(order))
    return m.reduce(order > 0 ? Op::kReduceMax : Op::kReduceMin, size, axes.axes, axes.keepdim);
  const ValueId power = TENON_TRY(m.add_node(Op::kPow, {size, m.number(x, order)}));
  const ValueId sum = TENON_TRY(m.reduce(Op::kReduceSum, power, axes.axes, axes.keepdim));
  return m.add_node(Op::kPow, {sum, m.number(x, 1 / order)});
}

// aten.linalg_vector_norm(self, ord, dim, keepdim, dtype) and aten.norm(self, p, dim, keepdim, dtype).
Status lower_norm(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  if (context.args().has("dtype"))
    if (const auto type = TENON_TRY(context.args().optional_dtype("dtype")))
      x = TENON_TRY(context.cast(x, *type));
  const std::string_view order_name = context.args().op() == "norm" ? "p" : "ord";
  double order = 2;
  if (context.args().has(order_name))
    order = TENON_TRY(context.args().optional_number(order_name)).value_or(2);
  return context.finish(vector_norm(context, x, order, TENON_TRY(axes_of(context))));
}

Status lower_logsumexp(LowerContext& context) {
  const ValueId x = TENON_TRY(Math(context.builder()).real(TENON_TRY(context.tensor("self"))));
  return finish_reduced(context, Op::kReduceLogSumExp, x, TENON_TRY(axes_of(context)));
}

// sum(a * b) / (max(|a|, eps) * max(|b|, eps))
Status lower_cosine_similarity(LowerContext& context) {
  Math m(context.builder());
  const ValueId a = TENON_TRY(context.tensor("x1"));
  const ValueId b = TENON_TRY(context.tensor("x2"));
  const std::vector<int64_t> axis{TENON_TRY(context.args().integer("dim"))};
  const ValueId eps = m.number(a, TENON_TRY(context.args().number("eps")));
  auto unit = [&](ValueId x) -> Result<ValueId> {
    const ValueId norm = TENON_TRY(m.reduce(Op::kReduceL2, x, axis, true));
    return m.div(x, TENON_TRY(m.add_node(Op::kMax, {norm, eps})));
  };
  const ValueId product = TENON_TRY(m.mul(TENON_TRY(unit(a)), TENON_TRY(unit(b))));
  return context.finish(m.reduce(Op::kReduceSum, product, axis, false));
}

// |a - b + eps| over the last dimension.
Status lower_pairwise_distance(LowerContext& context) {
  Math m(context.builder());
  const ValueId a = TENON_TRY(context.tensor("x1"));
  const ValueId b = TENON_TRY(context.tensor("x2"));
  const ValueId difference = TENON_TRY(m.sub(a, b));
  const ValueId shifted = TENON_TRY(m.add(difference, m.number(a, TENON_TRY(context.args().number("eps")))));
  Axes axes{{-1}, TENON_TRY(context.args().boolean("keepdim"))};
  return context.finish(vector_norm(context, shifted, TENON_TRY(context.args().number("p")), axes));
}

// The distance of each row of x1 to each row of x2, Euclidean when no order is given.
Status lower_cdist(LowerContext& context) {
  Math m(context.builder());
  const ValueId a = TENON_TRY(context.tensor("x1"));
  const ValueId b = TENON_TRY(context.tensor("x2"));
  double order = 2;
  if (context.args().has("p")) order = TENON_TRY(context.args().number("p"));
  const int64_t rank_a = TENON_TRY(m.rank(a)), rank_b = TENON_TRY(m.rank(b));
  const ValueId rows = TENON_TRY(m.add_node(Op::kUnsqueeze, {a, context.ints({rank_a - 1})}));
  const ValueId columns = TENON_TRY(m.add_node(Op::kUnsqueeze, {b, context.ints({rank_b - 2})}));
  const ValueId difference = TENON_TRY(m.sub(rows, columns));
  return context.finish(vector_norm(context, difference, order, {{-1}, false}));
}

// Sums and means of what is not NaN.
Status lower_nan_reduction(LowerContext& context) {
  Math m(context.builder());
  const ValueId x = TENON_TRY(summand(context));
  const Axes axes = TENON_TRY(axes_of(context));
  if (!is_float(m.type(x)) || TENON_TRY(m.rank(x)) == 0)
    return context.unsupported("sums without NaN of integers or scalars");
  const ValueId nan = TENON_TRY(m.add_node(Op::kIsNaN, {x}));
  const ValueId known = TENON_TRY(m.where(nan, m.number(x, 0), x));
  const ValueId sum = TENON_TRY(m.reduce(Op::kReduceSum, known, axes.axes, axes.keepdim));
  if (context.args().op() == "nansum") return context.finish(sum);
  const ValueId counted = TENON_TRY(m.cast(TENON_TRY(m.add_node(Op::kNot, {nan})), m.type(x)));
  return context.finish(m.div(sum, TENON_TRY(m.reduce(Op::kReduceSum, counted, axes.axes, axes.keepdim))));
}

constexpr Handler kHandlers[] = {
    {"aten.cdist.default", lower_cdist},
    {"aten._cdist_forward.default", lower_cdist},
    {"aten._euclidean_dist.default", lower_cdist},
    {"aten.nansum.default", lower_nan_reduction},
    {"aten.nanmean.default", lower_nan_reduction},
    {"aten.sum", lower_sum},
    {"aten.prod", lower_sum},
    {"aten.mean", lower_mean},
    {"aten.amax", lower_amax},
    {"aten.amin", lower_amax},
    {"aten.max.default", lower_amax},
    {"aten.min.default", lower_amax},
    {"aten.aminmax", lower_aminmax},
    {"aten.all", lower_all_any},
    {"aten.any", lower_all_any},
    {"aten.count_nonzero", lower_count_nonzero},
    {"aten.var", lower_variance},
    {"aten.std", lower_variance},
    {"aten.var_mean", lower_variance},
    {"aten.std_mean", lower_variance},
    {"aten.norm", lower_norm},
    {"aten.linalg_vector_norm", lower_norm},
    {"aten.logsumexp", lower_logsumexp},
    {"aten.special_logsumexp", lower_logsumexp},
    {"aten.cosine_similarity", lower_cosine_similarity},
    {"aten.pairwise_distance", lower_pairwise_distance},
};

}  // namespace

std::span<const Handler> reduction_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
