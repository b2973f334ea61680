// The binary and variadic element-wise operators, one row each.
#include "ops/binary/binary.h"
#include "ops/core/emit_wide.h"
#include "ops/core/upgrade_attributes.h"
#include "ops/elementwise/kernels.h"

namespace tenon::ops {

namespace {

constexpr Traits kElementwise{.elementwise = true};
constexpr Tolerance kFewUlp{Tolerance::Kind::kUlp, 4};

constexpr OpDef binary(std::string_view name, InferRule infer = infer_arithmetic, Emit emit = emit_wide,
                       Tolerance tolerance = {}, std::span<const KernelRow> rows = {}) {
  return {.name = name,
          .infer = infer,
          .reference = reference_binary,
          .upgrade = upgrade_broadcast,
          .emit = emit,
          .rows = rows,
          .traits = kElementwise,
          .tolerance = tolerance};
}

constexpr OpDef comparison(std::string_view name, Emit emit = emit_wide_ordered) {
  return {.name = name,
          .infer = infer_comparison,
          .reference = reference_comparison,
          .upgrade = upgrade_broadcast,
          .emit = emit,
          .traits = kElementwise};
}

constexpr OpDef variadic(std::string_view name, Emit emit, Tolerance tolerance = {}) {
  return {.name = name,
          .infer = infer_arithmetic,
          .reference = reference_variadic,
          .upgrade = upgrade_attributes,
          .emit = emit,
          .traits = kElementwise,
          .tolerance = tolerance};
}

}  // namespace

constinit const OpDef kAdd = binary("Add", infer_arithmetic, emit_wide, {}, kArithmeticRows);
constinit const OpDef kSub = binary("Sub", infer_arithmetic, emit_wide, {}, kArithmeticRows);
constinit const OpDef kMul = binary("Mul", infer_arithmetic, emit_wide, {}, kArithmeticRows);
constinit const OpDef kDiv = binary("Div", infer_arithmetic, emit_wide, {}, kArithmeticRows);
constinit const OpDef kMod = binary("Mod", infer_arithmetic, emit_mod);
constinit const OpDef kAnd = binary("And", infer_broadcast_bool, emit_unchanged);
constinit const OpDef kOr = binary("Or", infer_broadcast_bool, emit_unchanged);
constinit const OpDef kXor = binary("Xor", infer_broadcast_bool, emit_unchanged);
constinit const OpDef kBitwiseAnd = binary("BitwiseAnd", infer_broadcast, emit_unchanged);
constinit const OpDef kBitwiseOr = binary("BitwiseOr", infer_broadcast, emit_unchanged);
constinit const OpDef kBitwiseXor = binary("BitwiseXor", infer_broadcast, emit_unchanged);
constinit const OpDef kBitShift = binary("BitShift", infer_broadcast, emit_bit_shift);

constinit const OpDef kPRelu{.name = "PRelu",
                             .infer = infer_prelu,
                             .reference = reference_binary,
                             .upgrade = upgrade_prelu,
                             .emit = emit_wide,
                             .traits = kElementwise};
constinit const OpDef kPow{.name = "Pow",
                           .infer = infer_broadcast,
                           .reference = reference_pow,
                           .upgrade = upgrade_broadcast,
                           .emit = emit_pow,
                           .traits = kElementwise,
                           .tolerance = kFewUlp};

constinit const OpDef kEqual = comparison("Equal", emit_equal);
constinit const OpDef kLess = comparison("Less");
constinit const OpDef kLessOrEqual = comparison("LessOrEqual", emit_or_equal);
constinit const OpDef kGreater = comparison("Greater");
constinit const OpDef kGreaterOrEqual = comparison("GreaterOrEqual", emit_or_equal);

constinit const OpDef kMin = variadic("Min", emit_min_max);
constinit const OpDef kMax = variadic("Max", emit_min_max);
constinit const OpDef kSum = variadic("Sum", emit_wide, kFewUlp);
constinit const OpDef kMean = variadic("Mean", emit_wide, kFewUlp);

}  // namespace tenon::ops
