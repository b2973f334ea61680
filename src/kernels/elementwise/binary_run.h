// Sums, differences, products and quotients of float32 along a line.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

enum class BinaryOp : uint8_t { kAdd, kSub, kMul, kDiv };

/// out[i] = a[i * a_step] op b[i * b_step] for i < count. Steps are 0 or 1. `out` may be `a` or `b`.
using BinaryRun = void (*)(const float* a, int64_t a_step, const float* b, int64_t b_step, float* out,
                           int64_t count);
BinaryRun binary_run(BinaryOp op, Isa isa);

}  // namespace tenon::kernels
