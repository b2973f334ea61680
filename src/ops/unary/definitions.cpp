// The unary operators, one row each.
#include "ops/core/emit_wide.h"
#include "ops/core/upgrade_attributes.h"
#include "ops/elementwise/kernels.h"
#include "ops/unary/unary.h"

namespace tenon::ops {

namespace {

constexpr Traits kElementwise{.elementwise = true};
constexpr Tolerance kExact{};
constexpr Tolerance kFewUlp{Tolerance::Kind::kUlp, 4};

// A function of real numbers (and perhaps integers) whose output has the type of its input.
constexpr OpDef unary(std::string_view name, Tolerance tolerance, Emit emit = emit_wide,
                      InferRule infer = infer_same_as_first, std::span<const KernelRow> rows = {}) {
  return {.name = name,
          .infer = infer,
          .reference = reference_unary,
          .upgrade = upgrade_attributes,
          .emit = emit,
          .rows = rows,
          .traits = kElementwise,
          .tolerance = tolerance};
}

// A test whose output is bool.
constexpr OpDef predicate(std::string_view name, Emit emit) {
  return {.name = name,
          .infer = infer_unary_bool,
          .reference = reference_unary_bool,
          .upgrade = upgrade_attributes,
          .emit = emit,
          .traits = kElementwise,
          .tolerance = kExact};
}

}  // namespace

constinit const OpDef kAbs = unary("Abs", kExact, emit_wide, infer_unary_integer);
constinit const OpDef kNeg = unary("Neg", kExact, emit_wide, infer_unary_integer);
constinit const OpDef kSign = unary("Sign", kExact, emit_wide, infer_unary_integer);
constinit const OpDef kCeil = unary("Ceil", kExact);
constinit const OpDef kFloor = unary("Floor", kExact);
constinit const OpDef kRound = unary("Round", kExact);
constinit const OpDef kSqrt = unary("Sqrt", kFewUlp);
constinit const OpDef kReciprocal = unary("Reciprocal", kFewUlp);
constinit const OpDef kExp = unary("Exp", kFewUlp);
constinit const OpDef kLog = unary("Log", kFewUlp);
constinit const OpDef kSin = unary("Sin", kFewUlp);
constinit const OpDef kCos = unary("Cos", kFewUlp);
constinit const OpDef kTan = unary("Tan", kFewUlp);
constinit const OpDef kAsin = unary("Asin", kFewUlp);
constinit const OpDef kAcos = unary("Acos", kFewUlp);
constinit const OpDef kAtan = unary("Atan", kFewUlp);
constinit const OpDef kSinh = unary("Sinh", kFewUlp);
constinit const OpDef kCosh = unary("Cosh", kFewUlp);
constinit const OpDef kTanh = unary("Tanh", kFewUlp);
constinit const OpDef kAsinh = unary("Asinh", kFewUlp);
constinit const OpDef kAcosh = unary("Acosh", kFewUlp);
constinit const OpDef kAtanh = unary("Atanh", kFewUlp);
constinit const OpDef kErf = unary("Erf", kFewUlp, emit_wide, infer_same_as_first, kMapRows);
constinit const OpDef kBitwiseNot = unary("BitwiseNot", kExact, emit_bitwise_not);

constinit const OpDef kRelu = unary("Relu", kExact, emit_relu, infer_same_as_first, kMapRows);
constinit const OpDef kSigmoid = unary("Sigmoid", kFewUlp, emit_wide, infer_same_as_first, kMapRows);
constinit const OpDef kLeakyRelu = unary("LeakyRelu", kExact, emit_wide, infer_same_as_first, kMapRows);
constinit const OpDef kElu = unary("Elu", kFewUlp);
constinit const OpDef kSelu = unary("Selu", kFewUlp);
constinit const OpDef kCelu = unary("Celu", kFewUlp, emit_celu);
constinit const OpDef kThresholdedRelu = unary("ThresholdedRelu", kExact);
constinit const OpDef kHardSigmoid = unary("HardSigmoid", kFewUlp, emit_wide, infer_same_as_first, kMapRows);
constinit const OpDef kHardSwish = unary("HardSwish", kFewUlp, emit_hard_swish);
constinit const OpDef kSoftplus = unary("Softplus", kFewUlp);
constinit const OpDef kSoftsign = unary("Softsign", kFewUlp);
constinit const OpDef kMish = unary("Mish", kFewUlp, emit_mish);
constinit const OpDef kGelu = unary("Gelu", kFewUlp, emit_gelu, infer_same_as_first, kMapRows);
constinit const OpDef kSwish = unary("Swish", kFewUlp, emit_swish);
constinit const OpDef kShrink = unary("Shrink", kExact);

constinit const OpDef kNot = predicate("Not", emit_unchanged);
constinit const OpDef kIsNaN = predicate("IsNaN", emit_is_nan);
constinit const OpDef kIsInf = predicate("IsInf", emit_wide);

}  // namespace tenon::ops
