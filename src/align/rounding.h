// Rounding: how far floating point arithmetic may take one node's outputs from their exact values. What the
// figures rest on stands in docs/guide/align.md.
#pragma once

#include <span>
#include <vector>

#include "base/try.h"
#include "ir/graph.h"
#include "ops/core/evaluate.h"

namespace tenon::alignment {

/// Half the distance from 1 to the next number: 2^-24 for float32; 0 for types that do not round.
double unit_roundoff(DataType type);

enum class Bound {
  /// (n + 4) u sum |w x| for a sum of n products: holds for any order of summation.
  kCertain,
  /// (sqrt(n) + 4) u max(sqrt(sum (w x)^2), |y|): what independent rounding errors add up to. Partial sums
  /// grow
  /// like a random walk, or, when the terms have one sign, like the sum.
  kProbable,
};

/// For each output, element by element, the bound of |computed - exact| for a node of a widened graph whose
/// exact inputs and outputs in float64 are given, when it is computed in the types `types` from just these
/// inputs. Sums are taken to be accumulated in float32 at least. Outputs that are no floating point tensors
/// get an undefined tensor.
Result<std::vector<Tensor>> rounding_bounds(const Node& node, std::span<const Value* const> inputs,
                                            std::span<const Value> outputs, std::span<const DataType> types,
                                            Bound bound, const ops::EvaluateOptions& options = {});

/// Whether outputs of the operator jump where their inputs move by little: ArgMax, Round, comparisons.
bool is_discontinuous(Op op);

}  // namespace tenon::alignment
