// Functions of one float32 variable over arrays, in vector code: what activations are made of. Accuracy is
// stated for each and held by tests over the whole range of float32.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// NaN gives NaN. Errors are in units of the last place of the exact result.
enum class Unary : uint8_t {
  kClamp,        ///< min(max(x, a), b): exact. Relu is kClamp with 0 and infinity.
  kLeakyRelu,    ///< x < 0 ? a * x : x: rounded once.
  kHardSigmoid,  ///< clamp(a * x + b, 0, 1): two roundings or one.
  kHardSwish,    ///< x * clamp(x / 6 + 1/2, 0, 1): 3 ULP, or 1e-7 near x = -3.
  kExp,          ///< 1 ULP; 0 below the least normal number.
  kSigmoid,      ///< 1 / (1 + exp(-x)): 3 ULP.
  kSilu,         ///< x * sigmoid(x): 4 ULP; 0 instead of less than 3e-37.
  kTanh,         ///< 8 ULP.
  kErf,          ///< 2 ULP.
  kGelu,         ///< x * (1 + erf(x / sqrt(2))) / 2: 7 ULP.
  kAdd,          ///< x + a: rounded once.
  kMultiply,     ///< x * a: rounded once.
  kDivide,       ///< x / a: rounded once.
};
inline constexpr int kUnaryCount = 13;

struct UnaryOp {
  Unary kind = Unary::kClamp;
  float a = 0;
  float b = 0;
};

/// out[r * out_stride + i] = f(in[r * in_stride + i]) for r < rows and i < count. `out` may be `in` where the
/// strides are the same.
struct UnaryCall {
  const float* in = nullptr;
  float* out = nullptr;
  int64_t count = 0;
  float a = 0, b = 0;
  int64_t rows = 1;
  int64_t in_stride = 0, out_stride = 0;
};
using UnaryFunction = void (*)(const UnaryCall& call);

UnaryFunction unary_function(Isa isa, Unary kind);

}  // namespace tenon::kernels
