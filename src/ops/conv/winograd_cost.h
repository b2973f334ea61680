// The cost model of 3x3 convolutions: which algorithm is expected to be the fastest, by shapes alone.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// m of the F(m x m, 3 x 3) that a convolution takes the least time by, or 0 for the direct sum. `output` is
/// [N, C, H, W]; unknown sizes are taken as those of the middle of a network.
int choose_winograd(int64_t in_channels, int64_t out_channels, const SymShape& output);

/// Multiplications of F(m x m, 3 x 3) for a region over those of the direct sum.
double winograd_work(const Region& region, int m);

}  // namespace tenon::ops
