// The register tile of depthwise and grouped convolutions in the blocked layout: rows of outputs of one
// plane, whose channels need those of the same vector alone.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/gemm/tile_end.h"

namespace tenon::kernels {

/// Columns of a filter, [first, last), that lie inside the input.
struct DepthwiseColumns {
  int64_t first = 0, last = 0;
};

/// For output rows r < rows and pixels x < width, with distances in floats, vectors
///   sums[r * width + x] = start + sum over taps (y, c), row by row, of
///     weights[y * weights_row + c * lanes] * input[r * next_row + y * input_row + x * distance + c * tap -
///     left]
/// which leave by `end` as one row. y < tap_rows, c < columns. Taps outside of the input's columns are left
/// out or taken as zeros. Where groups have several inputs, a tap is the sum over them, i < inputs, of
///   weights[y * weights_row + (i * columns + c) * lanes] * (lanes[i] of the vector of the input)
struct DepthwiseArgs {
  const float* weights = nullptr;
  int64_t weights_row = 0;
  const float* input = nullptr;
  int64_t input_row = 0, next_row = 0;
  int64_t tap = 0, distance = 0, left = 0;
  int64_t tap_rows = 0, columns = 0;
  int64_t inputs = 1;
  const int32_t* lanes = nullptr;  ///< [inputs][lanes]
  const float* start = nullptr;
  int64_t rows = 0, width = 0;
  /// Of near tiles: the columns that the first pixel's window has before the input, and the last one's
  /// behind.
  int64_t before = 0, after = 0;
  /// Of the others: the columns of each pixel, all of them from inner_first to inner_last.
  const DepthwiseColumns* border = nullptr;
  int64_t inner_first = 0, inner_last = 0;
  TileEnd end;
};
using DepthwiseTile = void (*)(const DepthwiseArgs&);

/// The tiles of one instruction set.
struct DepthwiseTiles {
  /// For any arguments, of groups of one input and of several.
  DepthwiseTile any = nullptr, any_grouped = nullptr;
  /// For rows of 3, 5 and 7 taps next to each other, at stride 1 and 2, all windows of which overlap the
  /// input.
  DepthwiseTile near[3][2] = {};
  DepthwiseTile near_grouped[2] = {};  ///< The same for rows of 3 taps.
  int near_pixels = 1;

  /// The near tile for filters of so many columns, or null; `tap` and `distance` are in vectors.
  DepthwiseTile near_tile(int64_t columns, int64_t tap, int64_t distance, int64_t inputs) const {
    if (tap != 1 || distance > 2) return nullptr;
    if (inputs > 1) return columns == 3 ? near_grouped[distance - 1] : nullptr;
    return columns == 3 || columns == 5 || columns == 7 ? near[columns / 2 - 1][distance - 1] : nullptr;
  }
  DepthwiseTile any_tile(int64_t inputs) const { return inputs > 1 ? any_grouped : any; }
};
const DepthwiseTiles& depthwise_tiles(Isa isa);

}  // namespace tenon::kernels
