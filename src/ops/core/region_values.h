// What kernel rows ask of the values of a region.
#pragma once

#include <optional>

#include "ops/core/kernel.h"

namespace tenon::ops {

/// Whether the value is a float32 tensor [N, C, H, W] whose number of channels is known.
inline bool is_image(const Region& region, ValueId id) {
  const ValueType& type = region.type(id);
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape && type.shape->size() == 4 &&
         (*type.shape)[1].is_constant();
}

/// The shape of a float32 tensor; nullopt for other values, and when it is not known.
inline std::optional<Shape> known_shape(const Region& region, ValueId id) {
  if (id == kNoValue) return std::nullopt;
  const ValueType& type = region.type(id);
  if (!type.is_tensor() || type.element != DataType::kFloat32 || !type.shape) return std::nullopt;
  return constant_shape(*type.shape);
}

}  // namespace tenon::ops
