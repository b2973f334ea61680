// Windows of a pool in the blocked layout.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// `count` windows of one row. Elements of window w are vectors at in + w * next + y * row_stride
/// + x * column_stride; its result is a vector at out + w * lanes.
struct WindowArgs {
  const float* in = nullptr;
  int64_t rows = 0, columns = 0;
  int64_t row_stride = 0, column_stride = 0;
  int64_t count = 1, next = 0;
  float divisor = 1;  ///< Of averages.
  float* out = nullptr;
};
struct WindowFunctions {
  /// NaN where an element is.
  void (*max)(const WindowArgs& args);
  void (*average)(const WindowArgs& args);
};
const WindowFunctions& window_functions(Isa isa);

}  // namespace tenon::kernels
