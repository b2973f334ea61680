// Kernel rows of Transpose, in the order of trying.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

extern const KernelRow kTransposeRows[6];

}  // namespace tenon::ops
