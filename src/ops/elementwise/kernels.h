// Kernel rows of element-wise operators.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// For operators that can begin a map (ops/fusion/tail.h), in the order of trying.
extern const KernelRow kMapRows[6];
/// Of Add, Sub, Mul and Div: maps, and two tensors that broadcast.
extern const KernelRow kArithmeticRows[9];

bool fits_broadcast(const Region& region);
Result<std::unique_ptr<Kernel>> prepare_broadcast(Isa isa, const Region& region);

}  // namespace tenon::ops
