// The register tile of convolutions in the blocked layout: neighbouring output pixels times one or two blocks
// of output channels, each a vector register of sums.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/gemm/tile_end.h"

namespace tenon::kernels {

/// sums[b][p] (a vector) = start[b] + sum over steps s and lanes i < inner of
/// weights[(s * inner + i) * blocks + b] (a vector) * input[offsets[s] + i + p * distance] (a number), which
/// leave by `end`, a row for each block. Start may be null. The same for `count` tiles: `input` is
/// `input_step` floats further on for each, `end.to` and `end.operand` `to_step`, and `end.partial` the sums
/// of a tile. Meanwhile `next` is brought to be read, and `out`, a line of each out_line floats, and what
/// lies out_stride floats further on to be written.
struct BlockedTileArgs {
  const float* weights = nullptr;
  const float* input = nullptr;
  const int32_t* offsets = nullptr;
  int64_t steps = 0;
  int64_t inner = 0;
  int64_t distance = 0;          ///< Floats between neighbouring pixels of the input.
  const float* start = nullptr;  ///< [blocks][lanes]
  TileEnd end;
  ReadNext next;
  ReadNext out;
  int64_t out_stride = 0;
  int64_t out_line = kLineFloats;  ///< From one line of `out` to the next.
  int64_t count = 1;
  int64_t input_step = 0, to_step = 0;
};
using BlockedTile = void (*)(const BlockedTileArgs&);

/// to[s][p] (a vector) = the vector at input[offsets[s] + p * distance], for all s < steps and p < pixels.
using BlockedTileCopy = void (*)(const float* input, const int32_t* offsets, int64_t steps, int64_t pixels,
                                 int64_t distance, float* to);

/// to[s][p] = clamp(x * scale[s] + shift[s]) for the vector x at planes[s][at + p * distance], for all s <
/// steps and p < pixels. Shift, or both, may be null.
struct BlockedMapArgs {
  const float* const* planes = nullptr;
  int64_t at = 0;
  int64_t steps = 0, pixels = 0;
  int64_t distance = 0;
  const float* scale = nullptr;
  const float* shift = nullptr;
  float low = 0, high = 0;
  float* to = nullptr;
};

/// The tiles of one instruction set.
struct BlockedTileSet {
  static constexpr int kMaxPixels = 14;
  static constexpr int kMaxBlocks = 2;
  /// [pixels - 1][blocks - 1]
  using Tiles = BlockedTile[kMaxPixels][kMaxBlocks];

  /// For inputs whose pixels are `distance` floats apart and steps of `inner` numbers; 0: any.
  struct Kind {
    int64_t distance, inner;
    Tiles tiles;
  };
  static constexpr int kKinds = 6;

  int lanes = 0;
  int max_pixels = 0;
  Kind kinds[kKinds];  ///< The last one is for all.
  BlockedTileCopy copy = nullptr;
  void (*map)(const BlockedMapArgs&) = nullptr;
  /// Of neighbouring pixels and whole blocks, for sums of which the last block has half at most: the other
  /// half of the lanes is zeros, to which `end` is applied. Null where that is no faster.
  Tiles halves = {};

  /// `is_half`: no more than the first half of the last block's lanes have weights.
  BlockedTile tile(int64_t pixels, int64_t blocks, int64_t distance, int64_t inner, bool is_half) const {
    if (is_half && distance == lanes && inner == lanes && halves[pixels - 1][blocks - 1] != nullptr)
      return halves[pixels - 1][blocks - 1];
    int kind = 0;
    while (kind < kKinds - 1 && (kinds[kind].distance != distance || kinds[kind].inner != inner)) ++kind;
    return kinds[kind].tiles[pixels - 1][blocks - 1];
  }
};
const BlockedTileSet& blocked_tile_set(Isa isa);

}  // namespace tenon::kernels
