// A call of a BlockedConv on its way: for the sources of that class.
#pragma once

#include <algorithm>

#include "kernels/conv/blocked_conv.h"
#include "kernels/gemm/tile.h"

namespace tenon::kernels {

/// What all tiles of a call share. Tiles are numbered through the rows of an image.
struct BlockedConv::Running {
  const ConvCall& call;
  PaddedInput padded;
  RowTiles columns;  // how the pixels of a row of the output are cut into tiles
  const int32_t* offsets = nullptr;
  const float* input = nullptr;
  /// Where outputs go: a plane is a block of channels, and begins with row `first_row`.
  struct Out {
    float* data = nullptr;
    int64_t plane = 0;  // floats
    int64_t first_row = 0;
    bool has_one_panel = false;  // or else the panels of all images
  } out = {};

  /// Neighbouring tiles of a row that have as many pixels each.
  struct Run {
    int64_t row, x, pixels, count;
  };
  Run run_of(int64_t tile, int64_t last_tile) const {
    const int64_t column = tile % columns.tiles;
    return {tile / columns.tiles, columns.begin(column), columns.rows(column),
            std::min(columns.alike(column), last_tile - tile)};
  }
  /// Where the first tap of the run's first output lies in an image's plane.
  int64_t input_at(const Run& run) const { return run.row * padded.row() + run.x * padded.distance(); }
};

}  // namespace tenon::kernels
