// The epilogue of a convolution or matrix product: micro-operations on a tile of sums while it is in the
// nearest cache, and its way into the output tensor.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "kernels/gemm/tile_end.h"
#include "kernels/gemm/tile_exit.h"
#include "kernels/math/unary.h"
#include "tenon/inline_vector.h"

namespace tenon::kernels {

struct MicroOp {
  enum class Kind : uint8_t {
    kUnary,      ///< x = f(x).
    kAddTensor,  ///< x = x + operand, a tensor of the output's shape.
    kMulTensor,  ///< x = x * operand.
  };
  Kind kind = Kind::kUnary;
  UnaryOp unary;
  int operand = 0;  ///< Index among the operands of a call.
};

/// Operands that the callers of an epilogue have room for.
inline constexpr size_t kEpilogueOperandsMax = 16;
/// The operands of a call, in the order of their numbers.
using Operands = InlineVector<const float*, kEpilogueOperandsMax>;

class Epilogue {
 public:
  /// `ops` in the order of application.
  Epilogue(std::vector<MicroOp> ops, Isa isa);

  /// The epilogue as the end of a tile whose first element is element `at` of the output and of the operands;
  /// nothing when it is more than a sum and a clamp.
  std::optional<TileEnd> tile_end(float* out, int64_t at, int64_t stride,
                                  std::span<const float* const> operands) const;

  /// Applies the micro-operations and writes the output.
  void finish(const TileExit& exit) const;
  /// How many operands a call needs.
  int operand_count() const { return operand_count_; }

 private:
  struct Step {
    MicroOp op;
    UnaryFunction function = nullptr;
  };
  /// Whether the last function writes the output itself.
  bool ends_in_function() const;

  std::vector<Step> steps_;
  // A last kAddTensor and a last kClamp are applied on the way out.
  int last_operand_ = -1;
  float low_ = -std::numeric_limits<float>::infinity();
  float high_ = std::numeric_limits<float>::infinity();
  const ExitFunctions* exits_;
  int operand_count_ = 0;
};

}  // namespace tenon::kernels
