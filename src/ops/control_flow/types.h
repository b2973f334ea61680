// Types of values that come from several places: the branches of If, the iterations of Loop and Scan, the
// items of a sequence.
#pragma once

#include <string_view>
#include <vector>

#include "base/try.h"
#include "ops/core/infer.h"

namespace tenon::ops {

bool same_type(const ValueType& a, const ValueType& b);

/// The type of a value that has type `a` or type `b`: where they disagree, dimensions become fresh symbols,
/// and ranks, element types and kinds unknown.
ValueType either_type(const ValueType& a, const ValueType& b, InferContext& context);

/// The type as it looks from outside of a loop or sequence: dimensions that differ from one iteration or item
/// to the next (they mention a symbol that inference made) become fresh symbols.
ValueType refreshed(const ValueType& type, InferContext& context);

/// What inference found for a subgraph that runs again and again.
struct LoopFacts {
  std::vector<ValueType> carried;   ///< Of the carried values, before, between and after iterations.
  std::vector<ValueFacts> results;  ///< The subgraph's outputs.
};

/// Infers the subgraph with `formals` as inputs, of which `count` from `first_formal` on are carried from one
/// iteration to the next as outputs from `first_result` on. Dimensions that change between iterations are
/// widened until nothing changes. kInvalidModel when a carried value changes its element type, or the
/// subgraph has too few outputs.
Result<LoopFacts> infer_loop(InferContext& context, std::string_view attribute,
                             std::vector<ValueFacts> formals, size_t first_formal, size_t first_result,
                             size_t count);

}  // namespace tenon::ops
