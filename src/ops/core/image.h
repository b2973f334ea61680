// Values that are images, for kernel rows that work on the blocked layout.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// Whether the value is a float32 tensor [N, C, H, W] whose number of channels is known.
inline bool is_image(const Region& region, ValueId id) {
  const ValueType& type = region.type(id);
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape && type.shape->size() == 4 &&
         (*type.shape)[1].is_constant();
}

}  // namespace tenon::ops
