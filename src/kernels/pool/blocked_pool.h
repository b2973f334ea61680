// Maximum and average pooling of float32 in the blocked layout (kernels/layout/blocked.h).
#pragma once

#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "kernels/rows_behind.h"
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

/// A maximum pool behind a convolution. What it refers to lasts as long.
class MaxPoolRows final : public RowsBehind {
 public:
  /// `windows` are those of `rows`. The input has rows of `in_w` pixels. output:
  /// [planes][rows][columns][lanes].
  MaxPoolRows(const WindowRows& windows, const PoolAxis& rows, const PoolAxis& columns, int64_t in_w,
              float* output, Isa isa)
      : RowsBehind(windows), rows_(rows), columns_(columns), in_w_(in_w), output_(output), isa_(isa) {}

  ReadNext written(int64_t plane, int64_t begin, int64_t end) const override;
  void make(int64_t plane, int64_t begin, int64_t end, const float* input, int64_t first,
            float* scratch) const override;

 private:
  const PoolAxis& rows_;
  const PoolAxis& columns_;
  int64_t in_w_;
  float* output_;
  Isa isa_;
};

/// The sum of each window over divisors[row] * divisors[column], 0 where that is 0. Rows are summed first,
/// each as one chain, then the sums of the rows.
void blocked_average_pool(const BlockedPoolCall& call, std::span<const float> row_divisors,
                          std::span<const float> column_divisors, Isa isa, const Services& services);

}  // namespace tenon::kernels
