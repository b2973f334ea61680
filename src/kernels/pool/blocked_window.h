// One window of a pool in the blocked layout.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// Window elements are vectors at in + y * row_stride + x * column_stride.
struct WindowArgs {
  const float* in = nullptr;
  int64_t rows = 0, columns = 0;
  int64_t row_stride = 0, column_stride = 0;
  float divisor = 1;
  float* out = nullptr;
};
struct WindowFunctions {
  void (*max)(const WindowArgs& args);
  void (*average)(const WindowArgs& args);
};
const WindowFunctions& window_functions(Isa isa);

}  // namespace tenon::kernels
