// Scan outputs: the tensors that iterations make, one each, put side by side along a new axis.
#pragma once

#include <vector>

#include "ops/core/kernel.h"

namespace tenon::ops {

/// What one output of a loop body makes, iteration by iteration.
class ScanOutput {
 public:
  /// `element` is what inference says of the body's output: it gives the shape when no iteration runs
  /// (dimensions that are not known count as 0).
  explicit ScanOutput(const ValueType& element) : element_(element) {}

  /// kInvalidModel when the tensor's type or shape differs from the earlier ones'.
  Status append(const Value& value);
  /// Writes output `i` with the new axis at `axis` of the result (may be negative), in reverse order if
  /// asked.
  Status write(KernelContext& context, size_t i, int64_t axis = 0, bool reverse = false) const;

 private:
  const ValueType& element_;
  std::vector<Tensor> parts_;
};

}  // namespace tenon::ops
