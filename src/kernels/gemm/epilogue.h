// The epilogue of a convolution or matrix product: micro-operations on a tile of sums while it is in the
// nearest cache, and its way into the output tensor.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "kernels/gemm/tile_exit.h"
#include "kernels/math/unary.h"

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

/// The most that tiles do themselves on their way out: out = clamp(sums + operand, low, high).
struct SimpleEpilogue {
  int operand = -1;  ///< Index among the operands of a call; -1: none.
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

class Epilogue {
 public:
  /// `ops` in the order of application.
  Epilogue(std::vector<MicroOp> ops, Isa isa);

  /// The epilogue as tiles do it themselves; nothing when it is more than that.
  const std::optional<SimpleEpilogue>& simple() const { return simple_; }

  /// Applies the micro-operations and writes the output.
  void finish(const TileExit& exit) const;
  /// How many operands a call needs.
  int operand_count() const { return operand_count_; }

 private:
  struct Step {
    MicroOp op;
    UnaryFunction function = nullptr;
  };
  std::vector<Step> steps_;
  SimpleEpilogue last_;  // what is applied on the way out
  std::optional<SimpleEpilogue> simple_;
  const ExitFunctions* exits_;
  int operand_count_ = 0;
};

}  // namespace tenon::kernels
