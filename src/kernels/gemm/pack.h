// Packing of matrices for register tiles.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// to[k * rows + r] = from[r * stride + k] for r < rows and k < depth.
using PackRows = void (*)(const float* from, int64_t stride, int64_t rows, int64_t depth, float* to);

PackRows pack_rows_function(Isa isa);

}  // namespace tenon::kernels
