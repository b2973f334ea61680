// The register tile of depthwise convolutions in the blocked layout: pixels of one output row, each channel
// from its own input channel.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/gemm/tile_end.h"

namespace tenon::kernels {

/// sums[p] = start + sum over taps (y, x), row by row, of weights[y * weights_row + x * lanes]
/// * input[y * input_row + x * tap + p * distance], all of them vectors, which leave by `end` as one row.
struct DepthwiseArgs {
  const float* weights = nullptr;
  int64_t weights_row = 0;
  const float* input = nullptr;
  int64_t input_row = 0;
  int64_t tap = 0;
  int64_t distance = 0;
  int64_t rows = 0, columns = 0;  ///< Of taps.
  const float* start = nullptr;
  int64_t pixels = 0;
  TileEnd end;
};
using DepthwiseTile = void (*)(const DepthwiseArgs&);

/// The tiles of one instruction set.
struct DepthwiseTiles {
  /// For any arguments.
  DepthwiseTile any = nullptr;
  /// For rows of 3, 5 and 7 taps next to each other, at stride 1 and 2: the same results, faster.
  DepthwiseTile near[3][2] = {};

  /// The tile for filters of so many columns; `tap` and `distance` are in vectors.
  DepthwiseTile tile(int64_t columns, int64_t tap, int64_t distance) const {
    const bool is_near = (columns == 3 || columns == 5 || columns == 7) && tap == 1 && distance <= 2;
    return is_near ? near[columns / 2 - 1][distance - 1] : any;
  }
};
const DepthwiseTiles& depthwise_tiles(Isa isa);

}  // namespace tenon::kernels
