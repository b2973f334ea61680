// A call of a BlockedConv on its way: for the sources of that class.
#pragma once

#include <algorithm>

#include "kernels/conv/blocked_conv.h"
#include "kernels/gemm/tile.h"

namespace tenon::kernels {

/// A copy of a band of the input pays when so many panels read it.
inline constexpr int64_t kCopyPanelsMin = 4;

/// What all tiles of a call share. Tiles are numbered through the rows of an image.
struct BlockedConv::Running {
  const ConvCall& call;
  PaddedInput padded;
  RowTiles columns;  // how the pixels of a row of the output are cut into tiles
  const int32_t* offsets = nullptr;
  const float* input = nullptr;
  int64_t first_x = 0;  // of the pixels in rows that `columns` cuts
  /// The panel that comes after a work of one panel, -1 for none, and what part of its weights are brought.
  struct {
    int64_t panel = -1, first = 0, count = 1, of = 1;
  } next = {};
  /// Where outputs go: a plane is a block of channels, and begins with pixel `first`.
  struct Out {
    float* data = nullptr;
    int64_t plane = 0;  // floats
    int64_t first = 0;
    bool has_one_panel = false;  // or else the panels of all images
    /// When something else is written afterwards: where, for each block of the panel.
    ReadNext later = {};
    int64_t later_stride = 0;
  } out = {};

  /// Neighbouring tiles of a row that have as many pixels each.
  struct Run {
    int64_t row, x, pixels, count;
  };
  Run run_of(int64_t tile, int64_t last_tile) const {
    const int64_t column = tile % columns.tiles;
    return {tile / columns.tiles, first_x + columns.begin(column), columns.rows(column),
            std::min(columns.alike(column), last_tile - tile)};
  }
  /// Where the first tap of the run's first output lies in an image's plane.
  int64_t input_at(const Run& run) const { return run.row * padded.row() + run.x * padded.distance(); }
};

}  // namespace tenon::kernels
