// The way of a finished tile of sums into the output tensor, while it is in the nearest cache.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// Columns [column, column + count) of a tile belong at elements [out, out + count) of an output row.
struct Segment {
  int32_t column;
  int32_t count;
  int64_t out;
};

/// One tile on its way out. Row r, element e of the output is at out[r * out_stride + e], and the operands'
/// elements are at the same places of theirs. With a step, the elements of a segment are groups of `group`
/// (1, or a vector), and from one group to the next it is step * group elements in the output.
struct TileExit {
  float* tile = nullptr;  ///< rows * tile_columns sums, overwritten.
  int rows = 0;
  int64_t tile_columns = 0;
  const Segment* segments = nullptr;
  int segment_count = 0;
  float* out = nullptr;
  int64_t out_stride = 0;
  const float* const* operands = nullptr;
  int64_t step = 1, group = 1;
};

/// The vector code of one instruction set.
struct ExitFunctions {
  /// tile = tile + operand, tile = tile * operand.
  void (*add)(const TileExit& exit, const float* operand);
  void (*multiply)(const TileExit& exit, const float* operand);
  /// out = clamp(tile, low, high), out = clamp(tile + operand, low, high). NaN stays NaN.
  void (*copy)(const TileExit& exit, const float* operand, float low, float high);
  void (*copy_add)(const TileExit& exit, const float* operand, float low, float high);
};
const ExitFunctions& exit_functions(Isa isa);

}  // namespace tenon::kernels
