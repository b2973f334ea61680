// Kernel rows of Resize.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

extern const KernelRow kResizeRows[3];

}  // namespace tenon::ops
