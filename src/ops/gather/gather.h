// What the gathering and scattering operators share: indices.
#pragma once

#include <cstdint>
#include <vector>

#include "base/try.h"

namespace tenon::ops {

/// Makes indices into a dimension non-negative; kInvalidModel when one is outside [-dim, dim).
Status resolve_indices(std::vector<int64_t>& indices, int64_t dim);

}  // namespace tenon::ops
