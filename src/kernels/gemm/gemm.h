// Matrix products of float32 by register tiles: many row vectors times one matrix (fully connected layers)
// and batches of small products (attention), with an epilogue on each tile.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/gemm/epilogue.h"
#include "kernels/gemm/tile.h"
#include "kernels/packing.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// A matrix in memory: element (i, j) is data[i * row_stride + j * column_stride].
struct MatrixRef {
  const float* data = nullptr;
  int64_t row_stride = 0;
  int64_t column_stride = 0;
};

/// The right operand of a product that is known before: `depth` by `columns`, cut into panels as wide as a
/// tile, each stored as [depth][panel], zero beyond the last column; and a bias for each column.
class PackedColumns {
 public:
  /// Nothing is needed afterwards. Each column is multiplied by its entry of `scales`, and rounded once;
  /// without entries it stays as it is. `bias` has an entry for each column or none, and is not scaled.
  PackedColumns(const MatrixRef& matrix, int64_t depth, int64_t columns, std::span<const double> scales,
                std::span<const float> bias, Isa isa, Packing& packing);

  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }
  const float* panels() const { return memory_.data(); }
  /// Padded to whole panels; null when there is none.
  const float* bias() const { return bias_.empty() ? nullptr : bias_.data(); }

 private:
  int64_t depth_, columns_;
  PackedFloats memory_;
  std::vector<float> bias_;
};

/// What the rows of A are made of while they are packed.
struct RowLoader {
  std::span<const int32_t> rows;  ///< Row i of A is row rows[i] of the matrix; empty: row i.
  /// Unless empty, what rows are multiplied with and what is added once they were normalised (LineMoments):
  /// of each term, up to a multiple of kTermBlock.
  std::span<const float> scale, bias;
  double epsilon = 0;
};

/// Products a[i] * b[i] (+ bias), each of `rows` by `depth` and `depth` by `columns`, through the epilogue to
/// out[i], row-major and one after the other. The output overlaps no operand of the product.
struct GemmCall {
  int64_t rows = 0, columns = 0, depth = 0;
  std::span<const MatrixRef> a;
  std::span<const MatrixRef> b;           ///< As many as `a`, or empty when `packed` serves all.
  const PackedColumns* packed = nullptr;  ///< Has the columns and depth of the call.
  std::optional<float> a_scale,
      b_scale;                        ///< Elements of A and of B, unless packed, are multiplied with first.
  const RowLoader* loader = nullptr;  ///< For a product of one A with column_stride 1, not scaled.
  float* out = nullptr;
  Operands operands;  ///< Of the epilogue, laid out as the output.
};

/// Sums are those of run_tile: the bits of an element depend on the depth alone.
void gemm(const GemmCall& call, const Epilogue& epilogue, Isa isa, const Services& services);

}  // namespace tenon::kernels
