// Rows of a resized plane, in the vector code of one instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

struct ResizeRows {
  /// out[i] = sum over t < taps of weights[t * stride + i] * in[indices[t * stride + i]], for i < count.
  /// Indices and weights are there up to a multiple of kLanesMax beyond count.
  void (*spread)(const float* in, const int32_t* indices, const float* weights, int64_t taps, int64_t stride,
                 int64_t count, float* out);
  /// The same for pixels of a vector: pixel i is the sum of weights[t] * in[indices[t]] for t in [offsets[i],
  /// offsets[i + 1]), at least one, for i < count.
  void (*spread_blocks)(const float* in, const size_t* offsets, const int64_t* indices, const float* weights,
                        int64_t count, float* out);
  /// out[i] = sum over t < taps of weights[t] * rows[t][i], for i < count.
  void (*mix)(const float* const* rows, const float* weights, int64_t taps, int64_t count, float* out);

  static constexpr int64_t kLanesMax = 16;
};
const ResizeRows& resize_rows(Isa isa);

}  // namespace tenon::kernels
