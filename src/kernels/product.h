// The plain matrix product that references share: exact for integers (modulo 2^64), in double for floats,
// with the terms of every sum added in ascending order, so that the result does not depend on how work is
// cut.
#pragma once

#include <cstdint>

namespace tenon {

/// c[i][j] += sum over p of a[i][p] * b[p][j], for i < m, j < n, p < k. Row-major with the given distances
/// between rows. T is double, int64_t or uint64_t; integers wrap. Neither a nor b overlaps c.
template <class T>
void add_product(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_stride, const T* b, int64_t b_stride,
                 T* c, int64_t c_stride);

}  // namespace tenon
