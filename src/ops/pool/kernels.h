// Kernel rows of MaxPool.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kMaxPoolRows[3];

}  // namespace tenon::ops
