// Widen: the float64 arbiter. A model with every floating point type replaced by float64, run by the same
// references, is the model in (nearly) exact arithmetic.
#pragma once

#include "base/try.h"
#include "ir/graph.h"

namespace tenon::alignment {

/// The graph in float64, bodies of control flow included. Values and nodes keep their names. Parameters that
/// ONNX allows in float32 only are cast on their way in and out. A Cast between floating point types so
/// becomes the identity, and quantisation to integers stays as it is.
Result<Graph> widen(const Graph& graph);

/// Floating point tensors as float64, sequences and optionals item by item, all others as they are.
Value widened(const Value& value);
/// The inverse for tensors: rounded to `type` when that is a floating point type.
Value narrowed(const Value& value, DataType type);

}  // namespace tenon::alignment
