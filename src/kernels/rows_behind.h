// What reads the output of a convolution, row by row, while that is in the caches: a pool or a depthwise
// convolution, whose channels need their own alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/gemm/tile_end.h"

namespace tenon::kernels {

/// The rows that its windows read: those of row y begin at y * stride - pad and span `extent` rows, of which
/// `inputs` exist.
struct WindowRows {
  int64_t inputs = 0, outputs = 0;
  int64_t stride = 1, extent = 1, pad = 0;

  struct Range {
    int64_t first = 0, last = 0;
  };
  /// Rows [begin, end) lie within these of the input; an empty range when they read none.
  Range covered(int64_t begin, int64_t end) const {
    const int64_t first = std::clamp<int64_t>(begin * stride - pad, 0, inputs);
    return {first, std::clamp((end - 1) * stride - pad + extent, first, inputs)};
  }
  /// That `rows` rows cover at most.
  int64_t span(int64_t rows) const {
    return std::min(inputs, (std::min(rows, outputs) - 1) * stride + extent);
  }
};

/// One call. Its input and output are in the blocked layout, and planes are blocks of channels of all images.
/// Safe to use by several threads, on different rows.
class RowsBehind {
 public:
  explicit RowsBehind(const WindowRows& rows) : rows_(rows) {}
  virtual ~RowsBehind() = default;

  const WindowRows& rows() const { return rows_; }
  /// Memory that a thread needs.
  virtual int64_t scratch_floats() const { return 0; }
  /// Where row `begin` of a plane of the output lies, and the floats up to row `end`.
  virtual ReadNext written(int64_t plane, int64_t begin, int64_t end) const = 0;
  /// Makes rows [begin, end) of a plane of the output. Row `first` of the plane's input lies at `input`, and
  /// behind it those that are covered.
  virtual void make(int64_t plane, int64_t begin, int64_t end, const float* input, int64_t first,
                    float* scratch) const = 0;

 private:
  WindowRows rows_;
};

}  // namespace tenon::kernels
