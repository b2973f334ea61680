// Packing of matrices for register tiles.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// Rows of a tile wherever they lie, normalised when there are means: term k of row r is
/// (rows[r][k] - means[r]) * factors[r] * scale[k] + bias[k].
struct LoadedRows {
  const float* const* rows = nullptr;
  const float* means = nullptr;
  const float* factors = nullptr;
  const float* scale = nullptr;  ///< Up to a multiple of kTermBlock, as bias.
  const float* bias = nullptr;
};

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
  /// As `rows`.
  void (*loaded)(const LoadedRows& from, int64_t rows, int64_t depth, float* to);
};
const PackFunctions& pack_functions(Isa isa);

}  // namespace tenon::kernels
