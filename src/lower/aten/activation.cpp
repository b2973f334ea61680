// Activation functions of torch.nn. Each follows the formula in PyTorch's documentation.
#include <cmath>
#include <numbers>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

float to_float(double value) {
  return static_cast<float>(value);
}

// ONNX's attributes are float32: a parameter of a float64 layer that float32 cannot hold becomes a constant.
bool fits_attribute(const Math& m, ValueId x, double parameter) {
  return m.type(x) != DataType::kFloat64 || static_cast<double>(to_float(parameter)) == parameter;
}

// x > 0 ? x : slope * x
Result<ValueId> leaky(LowerContext& context, ValueId x, double slope) {
  Math m(context.builder());
  if (fits_attribute(m, x, slope)) return context.add(Op::kLeakyRelu, {x}, {{"alpha", to_float(slope)}});
  const ValueId negative = TENON_TRY(m.add_node(Op::kLess, {x, m.number(x, 0)}));
  return m.where(negative, TENON_TRY(m.mul(x, m.number(x, slope))), x);
}

// x > 0 ? x : alpha * (exp(input_scale * x) - 1)
Result<ValueId> exponential(Math& m, ValueId x, double alpha, double input_scale) {
  const ValueId scaled = input_scale == 1 ? x : TENON_TRY(m.mul(x, m.number(x, input_scale)));
  const ValueId curve = TENON_TRY(m.add_node(Op::kElu, {scaled}));
  const ValueId negative = TENON_TRY(m.add_node(Op::kLess, {x, m.number(x, 0)}));
  return m.where(negative, TENON_TRY(m.mul(curve, m.number(x, alpha))), x);
}

// x * sigmoid(x). Not Swish of opset 24: ONNX Runtime 1.32 knows the operator's name and has no kernel for
// it.
Status lower_silu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const ValueId gate = TENON_TRY(context.builder().add(Op::kSigmoid, {x}));
  return context.finish(Op::kMul, {x, gate});
}

// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
Result<ValueId> gelu_by_tanh(Math& m, ValueId x) {
  const ValueId cube = TENON_TRY(m.mul(TENON_TRY(m.mul(x, x)), x));
  const ValueId sum = TENON_TRY(m.add(x, TENON_TRY(m.mul(cube, m.number(x, 0.044715)))));
  const ValueId argument = TENON_TRY(m.mul(sum, m.number(x, std::sqrt(2 / std::numbers::pi))));
  const ValueId gate = TENON_TRY(m.add(TENON_TRY(m.add_node(Op::kTanh, {argument})), m.number(x, 1)));
  return m.mul(TENON_TRY(m.mul(x, m.number(x, 0.5))), gate);
}

// In float64 the approximation is written out: ONNX Runtime computes it by the body of ONNX's function, whose
// constants are float32.
Status lower_gelu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const std::string approximate = TENON_TRY(context.args().string("approximate"));
  Math m(context.builder());
  if (approximate == "tanh" && m.type(x) == DataType::kFloat64) return context.finish(gelu_by_tanh(m, x));
  return context.finish(Op::kGelu, {x}, {{"approximate", approximate}});
}

// clip(x + 3, 0, 6) / 6
Result<ValueId> hard_sigmoid(Math& m, ValueId x) {
  const ValueId shifted = TENON_TRY(m.add(x, m.number(x, 3)));
  const ValueId clipped = TENON_TRY(m.add_node(Op::kClip, {shifted, m.number(x, 0), m.number(x, 6)}));
  return m.div(clipped, m.number(x, 6));
}

// In float64 it is written out, as float32 does not hold the sixth in the body of ONNX's function.
Status lower_hardswish(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  Math m(context.builder());
  if (m.type(x) != DataType::kFloat64) return context.finish(Op::kHardSwish, {x});
  return context.finish(m.mul(x, TENON_TRY(hard_sigmoid(m, x))));
}

Status lower_hardsigmoid(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  Math m(context.builder());
  if (m.type(x) == DataType::kFloat64) return context.finish(hard_sigmoid(m, x));
  return context.finish(Op::kHardSigmoid, {x}, {{"alpha", 1.0F / 6}, {"beta", 0.5F}});
}

Status lower_mish(LowerContext& context) {
  return context.finish(Op::kMish, {TENON_TRY(context.tensor("self"))});
}

Status lower_relu6(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  Math m(context.builder());
  return context.finish(Op::kClip, {x, m.number(x, 0), m.number(x, 6)});
}

Status lower_hardtanh(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const ValueId low = TENON_TRY(context.scalar("min_val", context.element(x)));
  const ValueId high = TENON_TRY(context.scalar("max_val", context.element(x)));
  return context.finish(Op::kClip, {x, low, high});
}

Status lower_leaky_relu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const double slope = TENON_TRY(context.args().number("negative_slope"));
  return context.finish(leaky(context, x, slope));
}

// In evaluation the slope is the middle of its range. The functional form has no schema of its own: its
// defaults are rrelu's.
Status lower_rrelu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  if (context.args().has("training") && TENON_TRY(context.args().boolean("training")))
    return context.unsupported("rrelu in training mode draws random slopes: call model.eval() before export");
  const aten::ArgumentReader& args = context.args();
  const double lower = args.has("lower") ? TENON_TRY(args.number("lower")) : 1.0 / 8;
  const double upper = args.has("upper") ? TENON_TRY(args.number("upper")) : 1.0 / 3;
  const ValueId result = TENON_TRY(leaky(context, x, (lower + upper) / 2));
  if (context.args().op() == "rrelu") return context.finish(result);
  return context.finish(std::vector<ValueId>{result, TENON_TRY(context.tensor("noise"))});
}

// One slope, or one a channel (dimension 1).
Status lower_prelu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  ValueId slope = TENON_TRY(context.tensor("weight"));
  const int64_t rank = TENON_TRY(context.rank(x));
  const SymShape* shape = context.shape(slope);
  const bool by_channel = shape != nullptr && shape->size() == 1 && !(*shape)[0].is(1);
  if (by_channel && rank > 2) {
    std::vector<int64_t> axes;
    for (int64_t axis = 1; axis < rank - 1; ++axis) axes.push_back(axis);
    slope = TENON_TRY(context.add(Op::kUnsqueeze, {slope, context.ints(axes)}));
  }
  return context.finish(Op::kPRelu, {x, slope});
}

// The slope is shaped to broadcast already.
Status lower_prelu_kernel(LowerContext& context) {
  return context.finish(Op::kPRelu, {TENON_TRY(context.tensor("self")), TENON_TRY(context.tensor("weight"))});
}

// scale * (x > 0 ? x : alpha * (exp(input_scale * x) - 1))
Status lower_elu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const double alpha = TENON_TRY(context.args().number("alpha"));
  const double scale = TENON_TRY(context.args().number("scale"));
  const double input_scale = TENON_TRY(context.args().number("input_scale"));
  Math m(context.builder());
  if (!fits_attribute(m, x, alpha))
    return context.finish(m.mul(TENON_TRY(exponential(m, x, alpha, input_scale)), m.number(x, scale)));
  const Attributes attributes{{"alpha", to_float(alpha)}};
  if (scale == 1 && input_scale == 1) return context.finish(Op::kElu, {x}, attributes);
  const ValueId scaled = TENON_TRY(m.mul(x, m.number(x, input_scale)));
  const ValueId curve = TENON_TRY(m.add_node(Op::kElu, {scaled}, attributes));
  const ValueId positive = TENON_TRY(m.add_node(Op::kGreater, {x, m.number(x, 0)}));
  const ValueId unscaled = TENON_TRY(m.where(positive, x, curve));
  return context.finish(m.mul(unscaled, m.number(x, scale)));
}

Status lower_selu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  Math m(context.builder());
  if (m.type(x) != DataType::kFloat64) return context.finish(Op::kSelu, {x});
  const ValueId curve = TENON_TRY(exponential(m, x, 1.6732632423543772848170429916717, 1));
  return context.finish(m.mul(curve, m.number(x, 1.0507009873554804934193349852946)));
}

Status lower_celu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const double alpha = TENON_TRY(context.args().number("alpha"));
  Math m(context.builder());
  if (!fits_attribute(m, x, alpha)) return context.finish(exponential(m, x, alpha, 1 / alpha));
  return context.finish(Op::kCelu, {x}, {{"alpha", to_float(alpha)}});
}

// log(1 + exp(beta * x)) / beta; x itself where beta * x is above the threshold. Above 20 both are one number
// in float32.
Status lower_softplus(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const double beta = TENON_TRY(context.args().number("beta"));
  const double threshold = TENON_TRY(context.args().number("threshold"));
  Math m(context.builder());
  if (beta == 1 && threshold >= 20) return context.finish(Op::kSoftplus, {x});
  const ValueId scaled = TENON_TRY(m.mul(x, m.number(x, beta)));
  const ValueId curve = TENON_TRY(m.add_node(Op::kSoftplus, {scaled}));
  const ValueId value = TENON_TRY(m.div(curve, m.number(x, beta)));
  const ValueId linear = TENON_TRY(m.add_node(Op::kGreater, {scaled, m.number(x, threshold)}));
  return context.finish(m.where(linear, x, value));
}

// 0 within lambd of 0; beyond it softshrink takes lambd off what is left, hardshrink nothing. A NaN stays.
Status lower_softshrink(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const double lambd = TENON_TRY(context.args().number("lambd"));
  const bool soft = context.args().op() == "softshrink";
  const double bias = soft ? lambd : 0;
  Math m(context.builder());
  if (fits_attribute(m, x, lambd))
    return context.finish(Op::kShrink, {x}, {{"lambd", to_float(lambd)}, {"bias", to_float(bias)}});
  const ValueId size = TENON_TRY(m.add_node(Op::kAbs, {x}));
  const ValueId within = TENON_TRY(m.add_node(Op::kLessOrEqual, {size, m.number(x, lambd)}));
  ValueId beyond = x;
  if (soft) {
    const ValueId sign = TENON_TRY(m.add_node(Op::kSign, {x}));
    beyond = TENON_TRY(m.sub(x, TENON_TRY(m.mul(sign, m.number(x, bias)))));
  }
  return context.finish(m.where(within, m.number(x, 0), beyond));
}

// x > threshold ? x : value; a NaN stays.
Status lower_threshold(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const ValueId threshold = TENON_TRY(context.scalar("threshold", context.element(x)));
  const ValueId value = TENON_TRY(context.scalar("value", context.element(x)));
  const ValueId replaced = TENON_TRY(context.add(Op::kLessOrEqual, {x, threshold}));
  return context.finish(Op::kWhere, {replaced, value, x});
}

// -softplus(-x)
Status lower_log_sigmoid(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const ValueId negative = TENON_TRY(context.add(Op::kNeg, {x}));
  const ValueId curve = TENON_TRY(context.add(Op::kSoftplus, {negative}));
  const ValueId result = TENON_TRY(context.add(Op::kNeg, {curve}));
  return context.finish(std::vector<ValueId>{result, kNoValue});  // the buffer is for the backward pass
}

// The first half of the dimension, gated by the sigmoid of the second.
Status lower_glu(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(context.args().integer("dim"));
  const std::vector<ValueId> halves =
      TENON_TRY(context.add_multi(Op::kSplit, {x}, {{"axis", axis}, {"num_outputs", int64_t{2}}}, 2));
  const ValueId gate = TENON_TRY(context.add(Op::kSigmoid, {halves[1]}));
  return context.finish(Op::kMul, {halves[0], gate});
}

constexpr Handler kHandlers[] = {
    {"aten.silu", lower_silu},
    {"aten.gelu", lower_gelu},
    {"aten.hardswish", lower_hardswish},
    {"aten.hardsigmoid", lower_hardsigmoid},
    {"aten.mish", lower_mish},
    {"aten.relu6", lower_relu6},
    {"aten.hardtanh", lower_hardtanh},
    {"aten.leaky_relu", lower_leaky_relu},
    {"aten.rrelu", lower_rrelu},
    {"aten.rrelu_with_noise", lower_rrelu},
    {"aten.rrelu_with_noise_functional", lower_rrelu},
    {"aten.prelu", lower_prelu},
    {"aten._prelu_kernel", lower_prelu_kernel},
    {"aten.elu", lower_elu},
    {"aten.selu", lower_selu},
    {"aten.celu", lower_celu},
    {"aten.softplus", lower_softplus},
    {"aten.softshrink", lower_softshrink},
    {"aten.hardshrink", lower_softshrink},
    {"aten.threshold", lower_threshold},
    {"aten.log_sigmoid", lower_log_sigmoid},
    {"aten.log_sigmoid_forward", lower_log_sigmoid},
    {"aten.glu", lower_glu},
};

}  // namespace

std::span<const Handler> activation_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
