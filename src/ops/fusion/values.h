// What patterns ask about the values of a graph.
#pragma once

#include <optional>

#include "ir/graph.h"

namespace tenon::ops {

/// The number that the value is: a float32 constant of one element.
inline std::optional<float> constant_number(const Graph& graph, ValueId id) {
  const Tensor* tensor = id == kNoValue ? nullptr : graph.constant(id);
  if (tensor == nullptr || tensor->type() != DataType::kFloat32 || tensor->size() != 1) return std::nullopt;
  return tensor->data<float>()[0];
}

/// Whether both values are float32 tensors that certainly have the same shape.
inline bool same_float32_shape(const Graph& graph, ValueId a, ValueId b) {
  const ValueType &left = graph.value(a).type, &right = graph.value(b).type;
  return left.is_tensor() && right.is_tensor() && left.element == DataType::kFloat32 &&
         right.element == DataType::kFloat32 && left.shape && right.shape && *left.shape == *right.shape;
}

}  // namespace tenon::ops
