// Kernel rows of LayerNormalization.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kLayerNormRows[3];

}  // namespace tenon::ops
