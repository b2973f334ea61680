// Widen: the float64 arbiter. A model with every floating point type replaced by float64, run by the same
// references, is the model in (nearly) exact arithmetic.
#pragma once

#include <vector>

#include "base/try.h"
#include "ir/graph.h"

namespace tenon::alignment {

struct WideGraph {
  /// Bodies of control flow included. Values keep their ids and names, nodes their names. Parameters that
  /// ONNX allows in float32 only are cast on their way in and out. A Cast between floating point types so
  /// becomes the identity, and quantisation to integers stays as it is.
  Graph graph;
  /// The nodes of `graph` that stand for node i of the original are first[i] to first[i + 1] (excluded).
  std::vector<size_t> first;
};
Result<WideGraph> widen(const Graph& graph);

/// Floating point tensors as float64, sequences and optionals item by item, all others as they are.
Value widened(const Value& value);
/// The inverse for tensors: rounded to `type` when that is a floating point type.
Value narrowed(const Value& value, DataType type);

}  // namespace tenon::alignment
