// Operands of ATen's binary operators: tensors and Python numbers brought to the type that PyTorch computes
// in.
#pragma once

#include <string_view>
#include <vector>

#include "lower/aten/math.h"
#include "lower/context.h"

namespace tenon::lower {

/// Two operands of one type.
struct Pair {
  ValueId a, b;
};

/// How an operator picks the type it computes in from the type of its operands.
enum class Compute : uint8_t {
  kCommon,  ///< torch.result_type
  kReal,    ///< the same, integers become float32 (true division)
};

/// An argument that is a tensor or a Python number (of rank 0), not yet converted, and how the type rules see
/// it.
struct RawOperand {
  aten::Operand operand;
  ValueId tensor = kNoValue;  ///< Or kNoValue for a number ...
  aten::Number number;        ///< ... that stands here.
};
Result<RawOperand> raw_operand(LowerContext& context, std::string_view name);
/// The operand as a value of `type`.
Result<ValueId> convert(LowerContext& context, const RawOperand& operand, DataType type);

/// The arguments `first` and `second` (tensors or numbers) in their common type.
Result<Pair> operands(LowerContext& context, std::string_view first, std::string_view second,
                      Compute compute = Compute::kCommon);
/// The same for any number of arguments.
Result<std::vector<ValueId>> operands(LowerContext& context, std::span<const std::string_view> names,
                                      Compute compute = Compute::kCommon);

}  // namespace tenon::lower
