// Matrix products: what MatMul, Gemm, MatMulInteger and QLinearMatMul share.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/try.h"
#include "ops/core/kernel.h"
#include "tensor/sym_int.h"

namespace tenon::ops {

/// The shape of MatMul's output (numpy.matmul): batch dimensions broadcast, rank 1 counts as a row of A or a
/// column of B. kInvalidModel when the operands do not fit together.
Result<SymShape> matmul_shape(const SymShape& a, const SymShape& b);

/// A matrix inside a tensor: `rows` by `columns`, from element `offset` on, stored row by row, or column by
/// column when `transposed`.
struct MatrixView {
  const Tensor* tensor;
  int64_t offset, rows, columns;
  bool transposed;
};

/// Where batch number `batch` of `shape` lies, for the strides of its axes.
int64_t batch_offset(int64_t batch, const Shape& shape, const Shape& strides);

/// A product of matrices for each batch, as its shapes say.
struct MatmulPlan {
  int64_t m, n, k;
  Shape shape;          ///< Of the output.
  int64_t batches = 0;  ///< Of the output; 0 when it has no elements.

  /// Which matrix of A and of B a batch of the output takes.
  int64_t a_matrix(int64_t batch) const { return batch_offset(batch, batch_shape, a_strides); }
  int64_t b_matrix(int64_t batch) const { return batch_offset(batch, batch_shape, b_strides); }

  Shape batch_shape;           ///< The batch axes of `shape`.
  Shape a_strides, b_strides;  ///< In matrices, of each batch axis; 0 where the operand repeats.
};
Result<MatmulPlan> plan_matmul(const Tensor& a, const Tensor& b);

/// Numbers subtracted from matrix elements while they are loaded, by row of A and by column of B (nothing
/// when the list is empty, one for all when it has one entry).
template <class T>
struct ZeroPoints {
  std::vector<T> a, b;
};

/// Sums of products of a (m by k) and b (k by n): calls `finish(row, column, sums)` for pieces of rows of the
/// result. Runs in parallel. T is double, int64_t or uint64_t.
template <class T>
void multiply(KernelContext& context, const MatrixView& a, const MatrixView& b, const ZeroPoints<T>& zeros,
              const std::function<void(int64_t row, int64_t column, std::span<T> sums)>& finish);

/// One number for each row of A or column of B: a scalar, a list of `count`, or one list for each of
/// `matrices` matrices (of which number `matrix` is taken). kInvalidModel for any other size.
template <class T>
Result<std::vector<T>> per_line(const Tensor& tensor, int64_t count, int64_t matrices, int64_t matrix);

}  // namespace tenon::ops
