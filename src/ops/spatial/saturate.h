// Weighted averages of integers.
#pragma once

#include <algorithm>
#include <cmath>

#include "tensor/element.h"

namespace tenon::ops {

/// A value cut to the range of an integer type: of 64 bits, to whole numbers that a double holds.
inline double saturate(DataType type, double value) {
  const bool is_signed = compute_kind(type) == ComputeKind::kSigned;
  const int bits = element_bits(type);
  const double low = is_signed ? -std::ldexp(1.0, bits - 1) : 0;
  const double high = std::ldexp(1.0, is_signed ? bits - 1 : bits) - (bits < 64 ? 1 : 2048);
  return std::clamp(value, low, high);
}

}  // namespace tenon::ops
