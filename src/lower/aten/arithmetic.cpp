// Arithmetic on two or three tensors or numbers, with PyTorch's type promotion.
#include <limits>
#include <numbers>

#include "lower/aten/families.h"
#include "lower/aten/operands.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// b * alpha, where alpha is given and not 1.
Result<ValueId> scaled(LowerContext& context, ValueId b) {
  if (!context.args().has("alpha")) return b;
  const aten::Number alpha = TENON_TRY(context.args().scalar("alpha"));
  if (const auto* whole = std::get_if<int64_t>(&alpha); whole != nullptr && *whole == 1) return b;
  if (const auto* real = std::get_if<double>(&alpha); real != nullptr && *real == 1) return b;
  return context.add(Op::kMul, {b, TENON_TRY(context.scalar(alpha, context.element(b)))});
}

// Sums and products of bools are what `or` and `and` give.
Status lower_add(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  if (context.element(p.a) == DataType::kBool) return context.finish(Op::kOr, {p.a, p.b});
  return context.finish(Op::kAdd, {p.a, TENON_TRY(scaled(context, p.b))});
}

Status lower_sub(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(Op::kSub, {p.a, TENON_TRY(scaled(context, p.b))});
}

Status lower_rsub(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(Op::kSub, {p.b, TENON_TRY(scaled(context, p.a))});
}

Status lower_mul(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(context.element(p.a) == DataType::kBool ? Op::kAnd : Op::kMul, {p.a, p.b});
}

Status lower_div(LowerContext& context) {
  std::optional<std::string> mode;
  if (context.args().has("rounding_mode")) mode = TENON_TRY(context.args().optional_string("rounding_mode"));
  const Pair p = TENON_TRY(operands(context, "self", "other", mode ? Compute::kCommon : Compute::kReal));
  Math m(context.builder());
  if (!mode) return context.finish(m.div(p.a, p.b));
  if (*mode == "floor") return context.finish(m.floor_divide(p.a, p.b));
  const ValueId quotient = TENON_TRY(m.div(p.a, p.b));
  return is_float(m.type(p.a)) ? context.finish(m.trunc(quotient)) : context.finish(quotient);
}

Status lower_floor_divide(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(Math(context.builder()).floor_divide(p.a, p.b));
}

Status lower_remainder(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(Math(context.builder()).remainder(p.a, p.b));
}

Status lower_fmod(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(Math(context.builder()).fmod(p.a, p.b));
}

// Small powers are products and roots, as PyTorch computes them.
Status lower_pow(LowerContext& context) {
  const RawOperand exponent = TENON_TRY(raw_operand(context, "exponent"));
  const Pair p = TENON_TRY(operands(context, "self", "exponent"));
  if (exponent.tensor == kNoValue) {
    const auto* whole = std::get_if<int64_t>(&exponent.number);
    const auto* real = std::get_if<double>(&exponent.number);
    const double value = whole != nullptr ? static_cast<double>(*whole) : real != nullptr ? *real : 0;
    if (value == 2) return context.finish(Op::kMul, {p.a, p.a});
    if (value == 0.5 && is_float(context.element(p.a))) return context.finish(Op::kSqrt, {p.a});
  }
  return context.finish(Op::kPow, {p.a, p.b});
}

Status lower_extremum(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  const std::string_view name = context.args().op();
  const bool largest = name == "maximum" || name == "max" || name == "fmax";
  if (context.element(p.a) == DataType::kBool)
    return context.finish(largest ? Op::kOr : Op::kAnd, {p.a, p.b});
  return context.finish(largest ? Op::kMax : Op::kMin, {p.a, p.b});
}

// The bounds may be numbers or tensors; either may be missing. Where the lower one is above the upper one,
// the upper one wins.
Status lower_clamp(LowerContext& context) {
  const std::string_view name = context.args().op();
  std::vector<RawOperand> raw{TENON_TRY(raw_operand(context, "self"))};
  std::vector<aten::Operand> types{raw[0].operand};
  std::optional<size_t> bounds[2];
  const std::string_view bound_names[2] = {"min", "max"};
  for (size_t i = 0; i < 2; ++i) {
    if ((name == "clamp_min" && i == 1) || (name == "clamp_max" && i == 0)) continue;
    if (!context.args().has(bound_names[i])) continue;
    bounds[i] = raw.size();
    raw.push_back(TENON_TRY(raw_operand(context, bound_names[i])));
    types.push_back(raw.back().operand);
  }
  const DataType type = aten::result_type(types);
  std::vector<ValueId> values;
  bool numbers = true;
  for (const RawOperand& operand : raw) {
    values.push_back(TENON_TRY(convert(context, operand, type)));
    if (values.size() > 1) {
      const SymShape* shape = context.shape(values.back());
      numbers = numbers && shape != nullptr && shape->empty();
    }
  }
  const ValueId low = bounds[0] ? values[*bounds[0]] : kNoValue;
  const ValueId high = bounds[1] ? values[*bounds[1]] : kNoValue;
  if (numbers) {
    std::vector<ValueId> inputs{values[0], low, high};
    while (inputs.back() == kNoValue) inputs.pop_back();
    return context.finish(Op::kClip, std::move(inputs));
  }
  ValueId result = values[0];
  if (low != kNoValue) result = TENON_TRY(context.add(Op::kMax, {result, low}));
  if (high != kNoValue) result = TENON_TRY(context.add(Op::kMin, {result, high}));
  return context.finish(result);
}

// atan(y / x), moved to the quadrant of (x, y).
Status lower_atan2(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other", Compute::kReal));
  Math m(context.builder());
  const ValueId zero = m.number(p.a, 0);
  const ValueId angle = TENON_TRY(m.add_node(Op::kAtan, {TENON_TRY(m.div(p.a, p.b))}));
  const ValueId below = TENON_TRY(m.add_node(Op::kLess, {p.a, zero}));
  const ValueId turn =
      TENON_TRY(m.where(below, m.number(p.a, -std::numbers::pi), m.number(p.a, std::numbers::pi)));
  const ValueId left = TENON_TRY(m.add_node(Op::kLess, {p.b, zero}));
  const ValueId moved = TENON_TRY(m.where(left, TENON_TRY(m.add(angle, turn)), angle));
  const ValueId no_y = TENON_TRY(m.add_node(Op::kEqual, {p.a, zero}));
  const ValueId no_x = TENON_TRY(m.add_node(Op::kEqual, {p.b, zero}));
  return context.finish(m.where(TENON_TRY(m.add_node(Op::kAnd, {no_x, no_y})), zero, moved));
}

// start + weight * (end - start)
Status lower_lerp(LowerContext& context) {
  const std::string_view names[] = {"self", "end", "weight"};
  const std::vector<ValueId> v = TENON_TRY(operands(context, names));
  Math m(context.builder());
  const ValueId step = TENON_TRY(m.mul(TENON_TRY(m.sub(v[1], v[0])), v[2]));
  return context.finish(m.add(v[0], step));
}

// self + value * (tensor1 op tensor2)
Status lower_addc(LowerContext& context) {
  const std::string_view names[] = {"self", "tensor1", "tensor2"};
  const bool product = context.args().op() == "addcmul";
  const std::vector<ValueId> v =
      TENON_TRY(operands(context, names, product ? Compute::kCommon : Compute::kReal));
  Math m(context.builder());
  ValueId term = TENON_TRY(product ? m.mul(v[1], v[2]) : m.div(v[1], v[2]));
  const aten::Number value = TENON_TRY(context.args().scalar("value"));
  const auto* whole = std::get_if<int64_t>(&value);
  if (whole == nullptr || *whole != 1)
    term = TENON_TRY(m.mul(term, TENON_TRY(context.scalar(value, context.element(term)))));
  return context.finish(m.add(v[0], term));
}

Status lower_logaddexp(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other", Compute::kReal));
  return context.finish(Math(context.builder()).log_add(p.a, p.b));
}

Status lower_hypot(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other", Compute::kReal));
  Math m(context.builder());
  const ValueId sum = TENON_TRY(m.add(TENON_TRY(m.mul(p.a, p.a)), TENON_TRY(m.mul(p.b, p.b))));
  return context.finish(Op::kSqrt, {sum});
}

constexpr Handler kHandlers[] = {
    {"aten.add", lower_add},
    {"aten.sub", lower_sub},
    {"aten.subtract", lower_sub},
    {"aten.rsub", lower_rsub},
    {"aten.mul", lower_mul},
    {"aten.multiply", lower_mul},
    {"aten.div", lower_div},
    {"aten.divide", lower_div},
    {"aten.true_divide", lower_div},
    {"aten.floor_divide", lower_floor_divide},
    {"aten.remainder", lower_remainder},
    {"aten.fmod", lower_fmod},
    {"aten.pow", lower_pow},
    {"aten.maximum", lower_extremum},
    {"aten.minimum", lower_extremum},
    {"aten.max.other", lower_extremum},
    {"aten.min.other", lower_extremum},
    {"aten.clamp", lower_clamp},
    {"aten.clip", lower_clamp},
    {"aten.clamp_min", lower_clamp},
    {"aten.clamp_max", lower_clamp},
    {"aten.atan2", lower_atan2},
    {"aten.arctan2", lower_atan2},
    {"aten.lerp", lower_lerp},
    {"aten.addcmul", lower_addc},
    {"aten.addcdiv", lower_addc},
    {"aten.logaddexp", lower_logaddexp},
    {"aten.hypot", lower_hypot},
};

}  // namespace

std::span<const Handler> arithmetic_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
