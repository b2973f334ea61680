// Kernel rows of element-wise operators.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// For operators that can begin a map (ops/fusion/tail.h), in the order of trying.
extern const KernelRow kMapRows[6];

}  // namespace tenon::ops
