// The last step of a quantised product: scaled sums to elements of the output type.
#pragma once

#include <span>

#include "tenon/tensor.h"

namespace tenon::ops {

/// Writes elements [first, first + values.size()) of `y`: values (already divided by the output's scale)
/// rounded to the nearest integer, ties to even, plus `zero`, saturated to an integer type of 8 bits; for
/// float8 types value + zero, saturated. Changes `values`.
void requantize(Tensor& y, int64_t first, std::span<double> values, double zero);

}  // namespace tenon::ops
