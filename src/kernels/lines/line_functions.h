// One line, in the vector code of one instruction set.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

struct LineFunctions {
  void (*softmax)(const float* in, float* out, int64_t length);
  /// Sum of x - shift, and of its square.
  double (*sum)(const float* in, int64_t length, float shift);
  double (*squares)(const float* in, int64_t length, float shift);
  /// out = (x - mean) * factor * scale + bias; `bias` may be null.
  void (*normalise)(const float* in, float* out, int64_t length, float mean, float factor, const float* scale,
                    const float* bias);
};
const LineFunctions& line_functions(Isa isa);

}  // namespace tenon::kernels
