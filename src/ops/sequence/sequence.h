// What the operators on sequences share.
#pragma once

#include "base/try.h"
#include "ops/core/kernel.h"

namespace tenon::ops {

/// A position in a sequence of `count` items, made non-negative. kInvalidModel when it is outside;
/// `may_be_end` allows the place behind the last item.
Result<int64_t> sequence_position(const Tensor& position, int64_t count, bool may_be_end);

/// Input `i` as a sequence; kInvalidModel when it is none.
Result<const Sequence*> sequence_input(KernelContext& context, size_t i);

}  // namespace tenon::ops
