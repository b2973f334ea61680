// The plain computation of Attention.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// Follows the function body of the operator: every step of it rounds to the element type of Q.
Status attention_reference(KernelContext& context);

}  // namespace tenon::ops
