// Kernel rows of Softmax.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kSoftmaxRows[6];

}  // namespace tenon::ops
