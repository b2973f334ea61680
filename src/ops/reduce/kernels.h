// Kernel rows of the Reduce operators.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying: LayerNormalization that begins with the mean, means of the pixels of images.
extern const KernelRow kReduceMeanRows[9];

}  // namespace tenon::ops
