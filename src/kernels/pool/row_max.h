// The innermost loop of maximum pooling.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// out[i] = the greatest of rows[r][i] over r < count, for i < length; NaN when one of them is. `count` is at
/// least 1; `out` overlaps no row.
using RowMaxFunction = void (*)(const float* const* rows, int64_t count, float* out, int64_t length);

RowMaxFunction row_max_function(Isa isa);

}  // namespace tenon::kernels
