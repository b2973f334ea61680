// The transforms of Winograd's minimal filtering F(m x m, 3 x 3), on vectors of channels (Lavin and Gray,
// arXiv 1509.09308), for m = 2 with the points 0, 1, -1 and for m = 4 with 0, 3/4, -3/4, 3/2, -3/2: all
// numbers of the matrices are exact in float32. With 64 and 512 channels, summed in blocks of 32, and filters
// transformed in float64, errors are 0.9 and 1.0 times (m = 2) and 2.7 times (m = 4) those of direct sums in
// blocks of 256 (root mean square).
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// Tiles of m + 2 by m + 2 positions; positions are numbered row by row.
struct WinogradTransforms {
  /// out[position] = B^T d B. `in` is the upper left corner of the tile, rows are `in_row` floats apart;
  /// positions of the result are `out_position` floats apart.
  void (*input)(const float* in, int64_t in_row, float* out, int64_t out_position);
  /// out[m][m] = A^T s A + bias, vectors one after the other. Positions are `in_position` floats apart.
  void (*output)(const float* in, int64_t in_position, const float* bias, float* out);
};

/// For m = 2 and m = 4.
const WinogradTransforms& winograd_transforms(int m, Isa isa);

/// filter[position] = G g G^T for a filter g of 3 by 3, in float64, rounded once. `to` has (m + 2)^2
/// elements.
void winograd_filter(int m, const float* g, float* to);

}  // namespace tenon::kernels
