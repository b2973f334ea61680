// Packing of matrices for register tiles.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// The vector code of one instruction set.
struct PackFunctions {
  /// A tile of rows in blocks of kTermBlock terms, from from[r * stride + k] for r < rows and k < depth.
  void (*rows)(const float* from, int64_t stride, int64_t rows, int64_t depth, float* to);
  /// to[k * width + j] = from[j * stride + k] for j < columns and k < depth.
  void (*transposed)(const float* from, int64_t stride, int64_t columns, int64_t depth, int64_t width,
                     float* to);
  /// to[k * width + j] = from[k * stride + j] for j < columns, 0 from there to `width`, and k < depth.
  void (*columns)(const float* from, int64_t stride, int64_t columns, int64_t depth, int64_t width,
                  float* to);
};
const PackFunctions& pack_functions(Isa isa);

}  // namespace tenon::kernels
