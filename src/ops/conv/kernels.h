// Kernel rows of Conv and ConvTranspose.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kConvRows[33];
extern const KernelRow kConvTransposeRows[9];

/// Whether rows take the region as a convolution with a window of each channel behind it: a maximum pool, or
/// a depthwise convolution with its tail.
bool fits_with_window_behind(const Region& region);

}  // namespace tenon::ops
