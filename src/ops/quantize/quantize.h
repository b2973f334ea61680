// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear: real numbers to and from small types by scale
// and zero point, for the whole tensor, by axis or by blocks.
#pragma once

#include "ops/core/op_def.h"

namespace tenon::ops {

/// Which scale belongs to which element of the input.
class ScaleMap {
 public:
  /// kMismatch when the scale's shape suits neither granularity.
  static Result<ScaleMap> make(const Shape& input, const Shape& scale, int64_t axis, int64_t block_size);
  /// Calls visit(begin, end, scale index) for runs of elements in [begin, end) that share a scale.
  template <class Visit>
  void for_runs(int64_t begin, int64_t end, Visit&& visit) const {
    while (begin < end) {
      const int64_t row = begin / inner_;  // outer and axis
      const int64_t outer = row / length_;
      const int64_t at = row % length_ / block_;  // scale along the axis
      const bool rowwise = !blocked_ || inner_ == 1;
      const int64_t stop = whole_ ? end : rowwise ? std::min(end, run_end(row)) : begin + 1;
      const int64_t scale = whole_ ? 0 : !blocked_ ? at : (outer * scales_ + at) * inner_ + begin % inner_;
      visit(begin, stop, scale);
      begin = stop;
    }
  }

 private:
  // The first element after those of `row` that share its scale.
  int64_t run_end(int64_t row) const {
    if (inner_ != 1 || !blocked_) return (row + 1) * inner_;
    const int64_t start = row / length_ * length_;
    return start + std::min(length_, ((row - start) / block_ + 1) * block_);
  }

  bool whole_ = true;     // one scale for all
  bool blocked_ = false;  // one for each block along the axis, at each place of the other axes
  int64_t length_ = 1, inner_ = 1, block_ = 1, scales_ = 1;
};

Status reference_quantize(KernelContext& context);
Status reference_dequantize(KernelContext& context);
Status reference_dynamic_quantize(KernelContext& context);

}  // namespace tenon::ops
