// Planes of float32 resized along rows and columns by weighted sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// Elements of a resized axis: element i is the sum of weights[t] * input[indices[t]] for t in [offsets[i],
/// offsets[i + 1]); there is at least one.
struct AxisTaps {
  std::span<const size_t> offsets;
  std::span<const int64_t> indices;
  std::span<const float> weights;

  int64_t outputs() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

struct ResizePlanesCall {
  int64_t planes = 0;
  int64_t lanes = 1;  ///< Of a pixel: 1, or those of a block.
  int64_t in_h = 0, in_w = 0;
  AxisTaps rows, columns;
  const float* input = nullptr;  ///< [planes][in_h][in_w][lanes]
  float* output = nullptr;       ///< [planes][rows][columns][lanes]
};
/// Columns first, then rows, each sum one chain of fused multiply-adds in the order of its taps.
void resize_planes(const ResizePlanesCall& call, Isa isa, const Services& services);

}  // namespace tenon::kernels
