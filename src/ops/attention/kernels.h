// Kernel rows of Attention.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

extern const KernelRow kAttentionRows[3];

}  // namespace tenon::ops
