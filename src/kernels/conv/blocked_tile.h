// The register tile of convolutions in the blocked layout: neighbouring output pixels times one or two blocks
// of output channels, each a vector register of sums.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/gemm/tile_end.h"

namespace tenon::kernels {

/// sums[b][p] (a vector) = start[b] + sum over steps s and lanes i < inner of
/// weights[(s * inner + i) * blocks + b] (a vector) * input[offsets[s] + i + p * distance] (a number), which
/// leave by `end`, a row for each block. Start may be null.
struct BlockedTileArgs {
  const float* weights = nullptr;
  const float* input = nullptr;
  const int32_t* offsets = nullptr;
  int64_t steps = 0;
  int64_t inner = 0;
  int64_t distance = 0;          ///< Floats between neighbouring pixels of the input.
  const float* start = nullptr;  ///< [blocks][lanes]
  TileEnd end;
};
using BlockedTile = void (*)(const BlockedTileArgs&);

/// The tiles of one instruction set.
struct BlockedTileSet {
  static constexpr int kMaxPixels = 14;
  static constexpr int kMaxBlocks = 2;

  int lanes = 0;
  int max_pixels = 0;
  /// [pixels - 1][blocks - 1], for inputs whose pixels are a vector apart, and for any distance.
  BlockedTile dense[kMaxPixels][kMaxBlocks] = {};
  BlockedTile any[kMaxPixels][kMaxBlocks] = {};

  BlockedTile tile(int64_t pixels, int64_t blocks, int64_t distance) const {
    return (distance == lanes ? dense : any)[pixels - 1][blocks - 1];
  }
};
const BlockedTileSet& blocked_tile_set(Isa isa);

/// Elements of the largest tile.
inline constexpr int64_t kBlockedTileFloats =
    int64_t{BlockedTileSet::kMaxPixels} * BlockedTileSet::kMaxBlocks * 16;

}  // namespace tenon::kernels
