// ATen's rules for the element type of a result: torch.result_type. Lowering makes each conversion that
// PyTorch does silently an explicit Cast.
#pragma once

#include <span>

#include "tenon/tensor.h"

namespace tenon::aten {

/// An operand as the rules see it: tensors with dimensions come before tensors without, and those before
/// Python numbers (int64, float64 or bool here), which only decide by their kind.
struct Operand {
  enum class Rank : uint8_t { kNumber, kZeroDim, kTensor };
  DataType type;
  Rank rank = Rank::kTensor;
};

/// torch.promote_types; kUndefined for types that PyTorch does not promote to one another.
DataType promote_types(DataType a, DataType b);
/// torch.result_type, with float32 as the default type of floating point numbers.
DataType result_type(std::span<const Operand> operands);
/// The type that functions of real numbers (exp, mean, true division) give for an operand: integers become
/// float32.
DataType real_type(DataType type);
/// The type that PyTorch computes in where it rounds to `type` once, at the end: float32 for half types.
DataType computing_type(DataType type);

}  // namespace tenon::aten
