// Pad over the opsets: pads and value were attributes before version 11, axes came with 18, wrap with 19.
#pragma once

#include "ops/core/versions.h"

namespace tenon::ops {

Status upgrade_pad(UpgradeContext& context);
Status emit_pad(EmitContext& context);

}  // namespace tenon::ops
