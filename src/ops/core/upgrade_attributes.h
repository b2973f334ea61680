// Upgrade of operators whose versions differ in attributes only by ones that no longer mean anything.
#pragma once

#include "ops/core/versions.h"

namespace tenon::ops {

/// As upgrade_unchanged, without the attributes that the newest version no longer has and that never had an
/// effect on the result (consumed_inputs, of opset 1).
Status upgrade_attributes(UpgradeContext& context);

}  // namespace tenon::ops
