// Kernel rows of Concat.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kConcatRows[6];

}  // namespace tenon::ops
