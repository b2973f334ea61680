// How the sums of a register tile leave it.
#pragma once

#include <cstdint>
#include <limits>

namespace tenon::kernels {

/// to[i][j] = clamp(partial[i][j] + sums[i][j] + operand[i][j], low, high), where i counts the rows of a tile
/// and j the vectors of a row. Partial and operand may be null; NaN stays NaN.
struct TileEnd {
  const float* partial = nullptr;  ///< Rows one after the other. May be the same memory as `to`.
  const float* operand = nullptr;  ///< Laid out as `to`.
  float* to = nullptr;
  int64_t stride = 0;  ///< Floats from one row of `to` to the next.
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();

  bool clamps() const {
    return low != -std::numeric_limits<float>::infinity() || high != std::numeric_limits<float>::infinity();
  }
};

/// Of a cache line.
inline constexpr int64_t kLineFloats = 16;

/// Memory that will be read soon after: tiles bring it to the second cache bit by bit.
struct ReadNext {
  const float* from = nullptr;
  int64_t floats = 0;

  /// The part for tiles [first, first + count) of `tiles`.
  ReadNext part(int64_t first, int64_t count, int64_t tiles) const {
    const int64_t begin = floats * first / tiles;
    return {from + begin, floats * (first + count) / tiles - begin};
  }
};

/// The same for rows of memory, `stride` floats from one to the next.
struct RowsNext {
  const float* first = nullptr;
  int64_t stride = 0;
  int64_t rows = 0;
};

}  // namespace tenon::kernels
