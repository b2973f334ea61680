// Upgrade of Scan, apart from its rule and reference.
#pragma once

#include "ops/core/versions.h"

namespace tenon::ops {

/// Version 8 scanned each item of a batch on its own: it becomes a Scan over the batch around one over time.
Status upgrade_scan(UpgradeContext& context);

}  // namespace tenon::ops
