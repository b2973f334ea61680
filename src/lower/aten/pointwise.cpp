// Functions of one tensor, element by element: the mathematical ones. Most are one ONNX operator; the others
// are written so that they keep their accuracy where the textbook's form loses it.
#include <array>
#include <cmath>
#include <numbers>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

struct Direct {
  std::string_view name;
  Op op;
  bool real;  // integers become float32
};

constexpr Direct kDirect[] = {
    {"abs", Op::kAbs, false},
    {"neg", Op::kNeg, false},
    {"sign", Op::kSign, false},
    {"sgn", Op::kSign, false},
    {"relu", Op::kRelu, false},
    {"sqrt", Op::kSqrt, true},
    {"exp", Op::kExp, true},
    {"log", Op::kLog, true},
    {"reciprocal", Op::kReciprocal, true},
    {"sin", Op::kSin, true},
    {"cos", Op::kCos, true},
    {"tan", Op::kTan, true},
    {"asin", Op::kAsin, true},
    {"acos", Op::kAcos, true},
    {"atan", Op::kAtan, true},
    {"arcsin", Op::kAsin, true},
    {"arccos", Op::kAcos, true},
    {"arctan", Op::kAtan, true},
    {"sinh", Op::kSinh, true},
    {"cosh", Op::kCosh, true},
    {"tanh", Op::kTanh, true},
    {"asinh", Op::kAsinh, true},
    {"acosh", Op::kAcosh, true},
    {"atanh", Op::kAtanh, true},
    {"arcsinh", Op::kAsinh, true},
    {"arccosh", Op::kAcosh, true},
    {"arctanh", Op::kAtanh, true},
    {"erf", Op::kErf, true},
    {"sigmoid", Op::kSigmoid, true},
    {"special_erf", Op::kErf, true},
    {"special_expit", Op::kSigmoid, true},
    {"absolute", Op::kAbs, false},
    {"negative", Op::kNeg, false},
};

Status lower_direct(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  for (const Direct& direct : kDirect) {
    if (direct.name != context.args().op()) continue;
    Math m(context.builder());
    // ONNX negates no unsigned numbers: 0 - x wraps as PyTorch does.
    if (direct.op == Op::kNeg && compute_kind(m.type(x)) == ComputeKind::kUnsigned)
      return context.finish(m.sub(m.number(x, 0), x));
    return context.finish(direct.op, {direct.real ? TENON_TRY(m.real(x)) : x});
  }
  return context.unsupported("no such function");
}

// Integers are whole already.
Status lower_rounding(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  if (!is_float(context.element(x))) return context.finish(x);
  const std::string_view name = context.args().op();
  Math m(context.builder());
  if (name == "trunc" || name == "fix") return context.finish(m.trunc(x));
  if (name == "frac") return context.finish(m.sub(x, TENON_TRY(m.trunc(x))));
  const int64_t decimals = context.args().has("decimals") ? TENON_TRY(context.args().integer("decimals")) : 0;
  if (name != "round" || decimals == 0)
    return context.finish(name == "ceil" ? Op::kCeil : name == "floor" ? Op::kFloor : Op::kRound, {x});
  const double scale = std::pow(10.0, static_cast<double>(std::abs(decimals)));
  const ValueId factor = m.number(x, scale);
  const ValueId scaled = TENON_TRY(decimals > 0 ? m.mul(x, factor) : m.div(x, factor));
  const ValueId rounded = TENON_TRY(m.add_node(Op::kRound, {scaled}));
  return context.finish(decimals > 0 ? m.div(rounded, factor) : m.mul(rounded, factor));
}

Result<ValueId> real_self(LowerContext& context) {
  return Math(context.builder()).real(TENON_TRY(context.tensor("self")));
}

Status lower_rsqrt(LowerContext& context) {
  const ValueId root = TENON_TRY(context.add(Op::kSqrt, {TENON_TRY(real_self(context))}));
  return context.finish(Op::kReciprocal, {root});
}

Status lower_square(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  return context.finish(Op::kMul, {x, x});
}

// tanh(x / 2) * (exp(x) + 1), exact near 0 where exp(x) - 1 is not.
Status lower_expm1(LowerContext& context) {
  const ValueId x = TENON_TRY(real_self(context));
  Math m(context.builder());
  const ValueId half = TENON_TRY(m.mul(x, m.number(x, 0.5)));
  const ValueId curve = TENON_TRY(m.add_node(Op::kTanh, {half}));
  const ValueId exp = TENON_TRY(m.add_node(Op::kExp, {x}));
  return context.finish(m.mul(curve, TENON_TRY(m.add(exp, m.number(x, 1)))));
}

// 2 atanh(x / (x + 2)) near 0, log(1 + x) elsewhere.
Status lower_log1p(LowerContext& context) {
  const ValueId x = TENON_TRY(real_self(context));
  Math m(context.builder());
  const ValueId ratio = TENON_TRY(m.div(x, TENON_TRY(m.add(x, m.number(x, 2)))));
  const ValueId curve = TENON_TRY(m.add_node(Op::kAtanh, {ratio}));
  const ValueId near = TENON_TRY(m.mul(curve, m.number(x, 2)));
  const ValueId far = TENON_TRY(m.add_node(Op::kLog, {TENON_TRY(m.add(x, m.number(x, 1)))}));
  const ValueId size = TENON_TRY(m.add_node(Op::kAbs, {x}));
  const ValueId is_near = TENON_TRY(m.add_node(Op::kLess, {size, m.number(x, 0.5)}));
  return context.finish(m.where(is_near, near, far));
}

Status lower_log_base(LowerContext& context) {
  const ValueId x = TENON_TRY(real_self(context));
  Math m(context.builder());
  const double base = context.args().op() == "log2" ? std::numbers::ln2 : std::numbers::ln10;
  return context.finish(m.div(TENON_TRY(m.add_node(Op::kLog, {x})), m.number(x, base)));
}

Status lower_exp2(LowerContext& context) {
  const ValueId x = TENON_TRY(real_self(context));
  Math m(context.builder());
  return context.finish(m.add_node(Op::kPow, {m.number(x, 2), x}));
}

Status lower_erfc(LowerContext& context) {
  const ValueId x = TENON_TRY(real_self(context));
  Math m(context.builder());
  return context.finish(m.sub(m.number(x, 1), TENON_TRY(m.add_node(Op::kErf, {x}))));
}

// log(x / (1 - x)), x first clamped to [eps, 1 - eps] when eps is given.
Status lower_logit(LowerContext& context) {
  ValueId x = TENON_TRY(real_self(context));
  Math m(context.builder());
  if (const auto eps = TENON_TRY(context.args().optional_number("eps")))
    x = TENON_TRY(m.add_node(Op::kClip, {x, m.number(x, *eps), m.number(x, 1 - *eps)}));
  const ValueId odds = TENON_TRY(m.div(x, TENON_TRY(m.sub(m.number(x, 1), x))));
  return context.finish(Op::kLog, {odds});
}

Status lower_angle_convert(LowerContext& context) {
  const ValueId x = TENON_TRY(real_self(context));
  Math m(context.builder());
  const double factor = context.args().op() == "deg2rad" ? std::numbers::pi / 180 : 180 / std::numbers::pi;
  return context.finish(m.mul(x, m.number(x, factor)));
}

// Integers are neither NaN nor infinite.
Status lower_classify(LowerContext& context) {
  ValueId x = TENON_TRY(real_self(context));
  if (context.element(x) == DataType::kBFloat16) x = TENON_TRY(context.cast(x, DataType::kFloat32));
  const std::string_view name = context.args().op();
  if (name == "isnan") return context.finish(Op::kIsNaN, {x});
  if (name == "isinf") return context.finish(Op::kIsInf, {x});
  if (name == "isposinf") return context.finish(Op::kIsInf, {x}, {{"detect_negative", int64_t{0}}});
  if (name == "isneginf") return context.finish(Op::kIsInf, {x}, {{"detect_positive", int64_t{0}}});
  const ValueId nan = TENON_TRY(context.add(Op::kIsNaN, {x}));
  const ValueId infinite = TENON_TRY(context.add(Op::kIsInf, {x}));
  return context.finish(Op::kNot, {TENON_TRY(context.add(Op::kOr, {nan, infinite}))});
}

// NaN and the infinities replaced by numbers; by default 0 and the ends of the type's range.
Status lower_nan_to_num(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  const DataType type = context.element(x);
  if (!is_float(type)) return context.finish(x);
  Math m(context.builder());
  const double largest = type == DataType::kFloat64   ? std::numeric_limits<double>::max()
                         : type == DataType::kFloat16 ? 65504.0
                         : type == DataType::kBFloat16
                             ? 0x1.fep127
                             : static_cast<double>(std::numeric_limits<float>::max());
  const auto nan = TENON_TRY(context.args().optional_number("nan"));
  const auto above = TENON_TRY(context.args().optional_number("posinf"));
  const auto below = TENON_TRY(context.args().optional_number("neginf"));
  const ValueId is_nan = TENON_TRY(context.add(Op::kIsNaN, {x}));
  const ValueId is_above = TENON_TRY(context.add(Op::kIsInf, {x}, {{"detect_negative", int64_t{0}}}));
  const ValueId is_below = TENON_TRY(context.add(Op::kIsInf, {x}, {{"detect_positive", int64_t{0}}}));
  ValueId y = TENON_TRY(m.where(is_nan, m.number(x, nan.value_or(0)), x));
  y = TENON_TRY(m.where(is_above, m.number(x, above.value_or(largest)), y));
  return context.finish(m.where(is_below, m.number(x, below.value_or(-largest)), y));
}

constexpr Handler kOthers[] = {
    {"aten.ceil", lower_rounding},
    {"aten.floor", lower_rounding},
    {"aten.round", lower_rounding},
    {"aten.trunc", lower_rounding},
    {"aten.fix", lower_rounding},
    {"aten.frac", lower_rounding},
    {"aten.rsqrt", lower_rsqrt},
    {"aten.square", lower_square},
    {"aten.expm1", lower_expm1},
    {"aten.special_expm1", lower_expm1},
    {"aten.log1p", lower_log1p},
    {"aten.special_log1p", lower_log1p},
    {"aten.log2", lower_log_base},
    {"aten.log10", lower_log_base},
    {"aten.exp2", lower_exp2},
    {"aten.special_exp2", lower_exp2},
    {"aten.erfc", lower_erfc},
    {"aten.special_erfc", lower_erfc},
    {"aten.logit", lower_logit},
    {"aten.special_logit", lower_logit},
    {"aten.deg2rad", lower_angle_convert},
    {"aten.rad2deg", lower_angle_convert},
    {"aten.isnan", lower_classify},
    {"aten.isinf", lower_classify},
    {"aten.isposinf", lower_classify},
    {"aten.isneginf", lower_classify},
    {"aten.isfinite", lower_classify},
    {"aten.nan_to_num", lower_nan_to_num},
};

constexpr std::string_view kTargets[] = {
    "aten.abs",      "aten.neg",      "aten.sign",         "aten.sgn",    "aten.relu",    "aten.sqrt",
    "aten.exp",      "aten.log",      "aten.sin",          "aten.cos",    "aten.tan",     "aten.reciprocal",
    "aten.asin",     "aten.acos",     "aten.atan",         "aten.arcsin", "aten.arccos",  "aten.arctan",
    "aten.sinh",     "aten.cosh",     "aten.tanh",         "aten.asinh",  "aten.acosh",   "aten.atanh",
    "aten.arcsinh",  "aten.arccosh",  "aten.arctanh",      "aten.erf",    "aten.sigmoid", "aten.special_erf",
    "aten.absolute", "aten.negative", "aten.special_expit"};

constexpr auto kHandlers = [] {
  std::array<Handler, std::size(kOthers) + std::size(kTargets)> all{};
  size_t next = 0;
  for (const Handler& handler : kOthers) all[next++] = handler;
  for (std::string_view target : kTargets) all[next++] = {target, lower_direct};
  return all;
}();

}  // namespace

std::span<const Handler> pointwise_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
