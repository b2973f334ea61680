// Kernel rows of Conv.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kConvRows[24];

/// Whether the region is a convolution of an image of few channels, with a maximum pool as its last node,
/// that rows take.
bool fits_first_conv_with_pool(const Region& region);

}  // namespace tenon::ops
