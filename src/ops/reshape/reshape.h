// What the operators that only relabel dimensions (Reshape, Flatten, Squeeze, Unsqueeze) share.
#pragma once

#include <vector>

#include "base/try.h"
#include "ops/core/infer.h"

namespace tenon::ops {

/// The shape that Reshape gives to `input` when asked for `wanted`: -1 takes what is left, 0 copies the
/// input's dimension unless `allow_zero`. kInvalidModel when the elements evidently do not fit.
Result<SymShape> reshaped_shape(const SymShape& input, const std::vector<SymInt>& wanted, bool allow_zero);

/// Passes the tracked elements of input 0 on to output 0 when that has rank 0 or 1.
void pass_elements(InferContext& context);

}  // namespace tenon::ops
