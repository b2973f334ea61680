// Kernel rows of Conv.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kConvRows[21];

}  // namespace tenon::ops
