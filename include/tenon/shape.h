// Shape: the dimensions of a tensor.
#pragma once

#include <cstdint>

#include "tenon/inline_vector.h"

namespace tenon {

/// Dimensions of a tensor, outermost first; a scalar has none.
class Shape : public InlineVector<int64_t, 6> {
 public:
  using InlineVector::InlineVector;
  operator std::vector<int64_t>() const { return {begin(), end()}; }  // NOLINT: implicit by design
};

}  // namespace tenon
