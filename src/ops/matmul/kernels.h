// Kernel rows of MatMul and Gemm.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kMatMulRows[3];
extern const KernelRow kGemmRows[3];

}  // namespace tenon::ops
