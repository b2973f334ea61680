// How Slice reads its bounds, along one axis: numpy's rule, over symbolic integers.
#pragma once

#include <cstdint>
#include <optional>

#include "tensor/sym_int.h"

namespace tenon::ops {

/// One axis of a slice: `length` elements from `start` on, `step` apart.
struct AxisSlice {
  SymInt start;
  SymInt length;
  int64_t step = 1;
};

/// Negative bounds count from the end, bounds outside the axis are clamped to it (for negative steps so that
/// index 0 can be reached). Exact for constants; nullopt when a symbolic bound's sign, and so the length,
/// cannot be told. `step` is not 0.
std::optional<AxisSlice> resolve_slice(const SymInt& dim, const SymInt& start, const SymInt& end,
                                       int64_t step);

}  // namespace tenon::ops
