// The register tile of convolutions in the blocked layout: neighbouring output pixels times one or two blocks
// of output channels, each a vector register of sums.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// sums[b][p] (a vector) = start + sum over steps s and lanes i < inner of
/// weights[(s * inner + i) * blocks + b] (a vector) * input[offsets[s] + i + p * distance] (a number),
/// where distance is 1 for inputs in rows of single channels and else the lanes of a vector.
struct BlockedTileArgs {
  const float* weights = nullptr;
  const float* input = nullptr;
  const int32_t* offsets = nullptr;
  int64_t steps = 0;
  int64_t inner = 0;
  const float* bias = nullptr;  ///< [blocks][lanes]: what the sums start with; null: zero.
  bool add = false;             ///< Adds the result to what `sums` holds.
  float* sums = nullptr;        ///< [blocks][pixels][lanes]
};
using BlockedTile = void (*)(const BlockedTileArgs&);

/// The tiles of one instruction set.
struct BlockedTileSet {
  static constexpr int kMaxPixels = 14;
  static constexpr int kMaxBlocks = 2;

  int lanes = 0;
  int max_pixels = 0;
  /// [pixels - 1][blocks - 1], for blocked inputs and for inputs of single channels.
  BlockedTile blocked[kMaxPixels][kMaxBlocks] = {};
  BlockedTile planar[kMaxPixels][kMaxBlocks] = {};
};
const BlockedTileSet& blocked_tile_set(Isa isa);

/// A depthwise tile: sums[p] = bias + sum over steps s of weights[s] * input[offsets[s] + p * lanes], all
/// vectors.
struct DepthwiseArgs {
  const float* weights = nullptr;  ///< [steps][lanes]
  const float* input = nullptr;
  const int32_t* offsets = nullptr;
  int64_t steps = 0;
  const float* bias = nullptr;  ///< [lanes]
  int64_t pixels = 0;
  float* sums = nullptr;  ///< [pixels][lanes]
};
using DepthwiseTile = void (*)(const DepthwiseArgs&);
DepthwiseTile depthwise_tile(Isa isa);

/// Elements of the largest tile.
inline constexpr int64_t kBlockedTileFloats =
    int64_t{BlockedTileSet::kMaxPixels} * BlockedTileSet::kMaxBlocks * 16;

}  // namespace tenon::kernels
