// Upgrade of operators whose versions differ in attributes only by ones that no longer mean anything.
#pragma once

#include "ops/core/versions.h"

namespace tenon::ops {

/// Finishes with a node that has one output. A type of input 0 that the newest version no longer takes (Erf
/// of integers, of opset 9) passes through float64, and fractions of the result are cut off.
Status finish_in_float64(UpgradeContext& context, Op op, std::vector<ValueId> inputs, Attributes attributes);

/// As finish_in_float64, without the attributes that the newest version no longer has and that never had an
/// effect on the result (consumed_inputs, of opset 1).
Status upgrade_attributes(UpgradeContext& context);

}  // namespace tenon::ops
