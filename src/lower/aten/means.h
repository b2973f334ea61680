// The mean as PyTorch has it: NaN of no elements. ONNX leaves that open, and ONNX Runtime gives 0.
#pragma once

#include "lower/context.h"

namespace tenon::lower {

/// The mean over `axes` (all when empty), of a tensor of rank 1 or more.
Result<ValueId> mean_over(LowerContext& context, ValueId x, const std::vector<int64_t>& axes, bool keepdim);

}  // namespace tenon::lower
