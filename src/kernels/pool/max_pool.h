// Two-dimensional maximum pooling of float32 planes in vector code.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/services.h"

namespace tenon::kernels {

struct MaxPoolCall {
  int64_t planes = 0;
  int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  const float* input = nullptr;  ///< [planes][in_h][in_w]
  float* output = nullptr;       ///< [planes][out_h][out_w], apart from the input
};

/// The greatest element of each window; a NaN in the window wins, a window outside of the input gives
/// -infinity.
void max_pool_2d(const MaxPoolCall& call, Isa isa, const Services& services);

}  // namespace tenon::kernels
