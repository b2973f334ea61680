// Arithmetic with rules of its own for NaN, zeros and signs, and comparisons within a tolerance.
#include <numbers>

#include "lower/aten/families.h"
#include "lower/aten/operands.h"
#include "lower/aten/sizes.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// The other operand where one is NaN.
Status lower_fmax(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  const bool largest = context.args().op() == "fmax";
  const DataType type = context.element(p.a);
  if (type == DataType::kBool) return context.finish(largest ? Op::kOr : Op::kAnd, {p.a, p.b});
  const ValueId extremum = TENON_TRY(context.add(largest ? Op::kMax : Op::kMin, {p.a, p.b}));
  if (!is_float(type)) return context.finish(extremum);
  Math m(context.builder());
  const ValueId no_a = TENON_TRY(context.add(Op::kIsNaN, {p.a}));
  const ValueId no_b = TENON_TRY(context.add(Op::kIsNaN, {p.b}));
  const ValueId or_a = TENON_TRY(m.where(no_b, p.a, extremum));
  return context.finish(m.where(no_a, p.b, or_a));
}

// True for -0.0 too, whose reciprocal is -infinity.
Result<ValueId> is_negative(LowerContext& context, ValueId x) {
  Math m(context.builder());
  const ValueId below = TENON_TRY(context.add(Op::kLess, {x, m.number(x, 0)}));
  if (!is_float(context.element(x))) return below;
  const ValueId inverse = TENON_TRY(context.add(Op::kReciprocal, {x}));
  const ValueId inverse_below = TENON_TRY(context.add(Op::kLess, {inverse, m.number(x, 0)}));
  return context.add(Op::kOr, {below, inverse_below});
}

Status lower_copysign(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other", Compute::kReal));
  const ValueId size = TENON_TRY(context.add(Op::kAbs, {p.a}));
  const ValueId opposite = TENON_TRY(context.add(Op::kNeg, {size}));
  const ValueId negative = TENON_TRY(is_negative(context, p.b));
  return context.finish(Op::kWhere, {negative, opposite, size});
}

Status lower_signbit(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  if (context.element(x) == DataType::kBool) {
    const ValueId inverse = TENON_TRY(context.add(Op::kNot, {x}));
    return context.finish(Op::kAnd, {x, inverse});
  }
  return context.finish(is_negative(context, x));
}

// x log(y): 0 where x is 0, unless y is NaN.
Status lower_xlogy(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other", Compute::kReal));
  Math m(context.builder());
  const ValueId log = TENON_TRY(context.add(Op::kLog, {p.b}));
  const ValueId product = TENON_TRY(m.mul(p.a, log));
  const ValueId none = TENON_TRY(context.add(Op::kEqual, {p.a, m.number(p.a, 0)}));
  const ValueId nan = TENON_TRY(context.add(Op::kIsNaN, {p.b}));
  const ValueId known = TENON_TRY(context.add(Op::kNot, {nan}));
  const ValueId zero = TENON_TRY(context.add(Op::kAnd, {none, known}));
  return context.finish(m.where(zero, m.number(p.a, 0), product));
}

// 0 below zero, 1 above, `values` at zero.
Status lower_heaviside(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "values"));
  Math m(context.builder());
  const ValueId zero = m.number(p.a, 0);
  const ValueId above = TENON_TRY(context.add(Op::kLess, {zero, p.a}));
  const ValueId step = TENON_TRY(m.cast(above, context.element(p.a)));
  const ValueId at_zero = TENON_TRY(context.add(Op::kEqual, {p.a, zero}));
  return context.finish(m.where(at_zero, p.b, step));
}

Status lower_float_power(LowerContext& context) {
  const RawOperand base = TENON_TRY(raw_operand(context, "self"));
  const RawOperand exponent = TENON_TRY(raw_operand(context, "exponent"));
  const ValueId a = TENON_TRY(convert(context, base, DataType::kFloat64));
  const ValueId b = TENON_TRY(convert(context, exponent, DataType::kFloat64));
  return context.finish(Op::kPow, {a, b});
}

// a * 2^b
Status lower_ldexp(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other", Compute::kReal));
  Math m(context.builder());
  const ValueId power = TENON_TRY(context.add(Op::kPow, {m.number(p.b, 2), p.b}));
  return context.finish(m.mul(p.a, power));
}

// sin(pi x) / (pi x), 1 at 0.
Status lower_sinc(LowerContext& context) {
  Math m(context.builder());
  const ValueId x = TENON_TRY(m.real(TENON_TRY(context.tensor("self"))));
  const ValueId angle = TENON_TRY(m.mul(x, m.number(x, std::numbers::pi)));
  const ValueId sine = TENON_TRY(context.add(Op::kSin, {angle}));
  const ValueId ratio = TENON_TRY(m.div(sine, angle));
  const ValueId at_zero = TENON_TRY(context.add(Op::kEqual, {x, m.number(x, 0)}));
  return context.finish(m.where(at_zero, m.number(x, 1), ratio));
}

// a == b, or |a - b| finite and at most atol + rtol |b|, or both NaN when those count as equal.
Result<ValueId> close_elements(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other", Compute::kReal));
  Math m(context.builder());
  ValueId close = TENON_TRY(context.add(Op::kEqual, {p.a, p.b}));
  if (TENON_TRY(context.args().boolean("equal_nan"))) {
    const ValueId a = TENON_TRY(context.add(Op::kIsNaN, {p.a}));
    const ValueId b = TENON_TRY(context.add(Op::kIsNaN, {p.b}));
    close = TENON_TRY(context.add(Op::kOr, {close, TENON_TRY(context.add(Op::kAnd, {a, b}))}));
  }
  const double rtol = TENON_TRY(context.args().number("rtol"));
  const double atol = TENON_TRY(context.args().number("atol"));
  const ValueId scaled = TENON_TRY(m.mul(p.b, m.number(p.b, rtol)));
  const ValueId size = TENON_TRY(context.add(Op::kAbs, {scaled}));
  const ValueId allowed = TENON_TRY(m.add(size, m.number(p.b, atol)));
  const ValueId distance = TENON_TRY(context.add(Op::kAbs, {TENON_TRY(m.sub(p.a, p.b))}));
  const ValueId within = TENON_TRY(context.add(Op::kLessOrEqual, {distance, allowed}));
  const ValueId infinite = TENON_TRY(context.add(Op::kIsInf, {distance}));
  const ValueId finite = TENON_TRY(context.add(Op::kNot, {infinite}));
  return context.add(Op::kOr, {close, TENON_TRY(context.add(Op::kAnd, {within, finite}))});
}

Status lower_isclose(LowerContext& context) {
  return context.finish(close_elements(context));
}

// Differences of neighbours along a dimension, n times over.
Status lower_diff(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(axis_argument(context, "dim", TENON_TRY(context.rank(x))));
  const ValueId before = TENON_TRY(context.optional_tensor("prepend"));
  const ValueId after = TENON_TRY(context.optional_tensor("append"));
  std::vector<ValueId> parts{x};
  if (before != kNoValue) parts.insert(parts.begin(), before);
  if (after != kNoValue) parts.push_back(after);
  for (ValueId& part : parts) part = TENON_TRY(context.cast(part, context.element(x)));
  if (parts.size() > 1) x = TENON_TRY(context.add(Op::kConcat, parts, {{"axis", axis}}));
  const int64_t times = TENON_TRY(context.args().integer("n"));
  if (times < 0 || times > 1000) return context.unsupported("so many differences of differences");
  for (int64_t i = 0; i < times; ++i) {
    const ValueId later = TENON_TRY(slice(context, x, axis, Size(1), Size(kToEnd)));
    const ValueId earlier = TENON_TRY(slice(context, x, axis, Size(0), Size(-1)));
    const bool bools = context.element(x) == DataType::kBool;
    x = TENON_TRY(context.add(bools ? Op::kXor : Op::kSub, {later, earlier}));
  }
  return times == 0 && parts.size() == 1 ? context.finish(Op::kIdentity, {x}) : context.finish(x);
}

constexpr Handler kHandlers[] = {
    {"aten.fmax", lower_fmax},           {"aten.fmin", lower_fmax},
    {"aten.copysign", lower_copysign},   {"aten.signbit", lower_signbit},
    {"aten.xlogy", lower_xlogy},         {"aten.special_xlogy", lower_xlogy},
    {"aten.heaviside", lower_heaviside}, {"aten.float_power", lower_float_power},
    {"aten.ldexp.Tensor", lower_ldexp},  {"aten.sinc", lower_sinc},
    {"aten.special_sinc", lower_sinc},   {"aten.isclose.default", lower_isclose},
    {"aten.diff.default", lower_diff},
};

}  // namespace

std::span<const Handler> special_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
