// The transforms of Winograd's minimal filtering F(m x m, 3 x 3), on vectors of channels (Lavin and Gray,
// arXiv 1509.09308), for m = 2 with the points 0, 1, -1, for m = 4 with 0, 3/4, -3/4, 3/2, -3/2 and for m = 6
// with 0, 1/2, -1/2, 1, -1, 2, -2, the best of all triples of eighths: all numbers of the matrices are exact
// in float32. With 256 channels, summed in blocks of 32, and filters transformed in float64, errors are 1.0
// times (m = 2), 3.3 times (m = 4) and 13 times (m = 6) those of direct sums in blocks of 128 (root mean
// square).
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/gemm/tile_end.h"

namespace tenon::kernels {

/// A plane of vectors, rows of which are `row` floats apart.
struct VectorPlane {
  const float* data;
  int64_t row, height, width;
};

/// Tiles of m + 2 by m + 2 positions; positions are numbered row by row.
struct WinogradTransforms {
  /// out[position] = B^T d B. `in` is the upper left corner of the tile, rows are `in_row` floats apart;
  /// positions of the result are `out_position` floats apart.
  void (*input)(const float* in, int64_t in_row, float* out, int64_t out_position);
  /// The same for the tile whose upper left corner is at (y, x), which has zeros outside `in`.
  void (*border)(const VectorPlane& in, int64_t y, int64_t x, float* out, int64_t out_position);
  /// A^T s A + bias, of which `rows` by `columns` vectors (at most m by m) leave by `end`, vectors of a row
  /// one after the other. Positions are `in_position` floats apart.
  void (*output)(const float* in, int64_t in_position, const float* bias, const TileEnd& end, int64_t rows,
                 int64_t columns);
};

/// For m = 2, 4 and 6.
const WinogradTransforms& winograd_transforms(int m, Isa isa);

/// filter[position] = G g G^T for a filter g of 3 by 3, in float64, rounded once. `to` has (m + 2)^2
/// elements.
void winograd_filter(int m, const float* g, float* to);

}  // namespace tenon::kernels
