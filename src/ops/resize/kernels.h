// Kernel rows of Resize.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

extern const KernelRow kResizeRows[6];

}  // namespace tenon::ops
