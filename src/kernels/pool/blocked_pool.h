// Maximum and average pooling of float32 in the blocked layout (kernels/layout/blocked.h).
#pragma once

#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// Windows along one axis: those of output i cover the positions first[i], first[i] + dilation, ..., count[i]
/// in all, all inside the input.
struct PoolAxis {
  std::span<const int64_t> first, count;
  int64_t dilation = 1;

  int64_t outputs() const { return static_cast<int64_t>(first.size()); }
};

struct BlockedPoolCall {
  int64_t planes = 0;  ///< images * blocks
  int64_t in_h = 1, in_w = 1;
  const PoolAxis* rows = nullptr;
  const PoolAxis* columns = nullptr;
  const float* input = nullptr;  ///< [planes][in_h][in_w][lanes]
  float* output = nullptr;       ///< [planes][rows][columns][lanes]
};

/// The greatest element of each window: a NaN in it wins, of equal ones the first stays; -infinity for an
/// empty window.
void blocked_max_pool(const BlockedPoolCall& call, Isa isa, const Services& services);

/// One row of a maximum pool of one plane: output row `y`, to `out`. Its windows' first row of the input, of
/// in_w vectors, is at `row`, and the others behind it.
void blocked_max_pool_row(const PoolAxis& rows, const PoolAxis& columns, size_t y, const float* row,
                          int64_t in_w, float* out, Isa isa);

/// The sum of each window over divisors[row] * divisors[column], 0 where that is 0. Rows are summed first,
/// each as one chain, then the sums of the rows.
void blocked_average_pool(const BlockedPoolCall& call, std::span<const float> row_divisors,
                          std::span<const float> column_divisors, Isa isa, const Services& services);

}  // namespace tenon::kernels
