// Operations on lines, the contiguous runs of the last axes of a float32 tensor: softmax and layer
// normalisation.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// out = exp(x - max) / sum(exp(x - max)) for each of `lines` lines of `length` elements. The difference is
/// carried to twice the precision, so that small results are as accurate as large ones: 8 ULP and the
/// rounding of the sum.
void softmax_lines(const float* in, float* out, int64_t lines, int64_t length, Isa isa,
                   const Services& services);

/// What normalises a line: (x - mean) * factor.
struct LineMoments {
  float mean = 0, factor = 0;
};
/// The factor is 1 / sqrt(variance + epsilon), the variance from the differences to the mean. `length` > 0.
LineMoments line_moments(const float* line, int64_t length, double epsilon, Isa isa);

struct LayerNormCall {
  const float* input = nullptr;
  float* output = nullptr;
  int64_t lines = 0, length = 0;
  const float* scale = nullptr;  ///< [length]
  const float* bias = nullptr;   ///< [length], or null
  double epsilon = 0;
};
/// out = (x - mean) * factor * scale + bias, by the moments of each line.
void layer_norm_lines(const LayerNormCall& call, Isa isa, const Services& services);

}  // namespace tenon::kernels
