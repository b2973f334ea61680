// Kernel rows of the Reduce operators.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying: LayerNormalization that begins with the mean, means of the pixels of images, all
/// others.
extern const KernelRow kReduceMeanRows[12];
/// Of the other sums and norms, the maximum and the minimum.
extern const KernelRow kReduceRows[3];

}  // namespace tenon::ops
