#include "kernels/product.h"

#include <type_traits>

namespace tenon {

namespace {

// Signed sums go through the unsigned type of the same width: wrapping is defined there.
template <class T>
T multiply_add(T sum, T x, T y) {
  if constexpr (std::is_same_v<T, int64_t>)
    return static_cast<int64_t>(static_cast<uint64_t>(sum) +
                                static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
  else
    return sum + x * y;
}

constexpr int64_t kRows = 4, kColumns = 4;

// A full tile, its sums in registers.
template <class T>
void full_tile(int64_t k, const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* c,
               int64_t c_stride) {
  T sum[kRows][kColumns];
  for (int64_t i = 0; i < kRows; ++i)
    for (int64_t j = 0; j < kColumns; ++j) sum[i][j] = c[i * c_stride + j];
  for (int64_t p = 0; p < k; ++p) {
    const T* row = b + p * b_stride;
    for (int64_t i = 0; i < kRows; ++i) {
      const T x = a[i * a_stride + p];
      for (int64_t j = 0; j < kColumns; ++j) sum[i][j] = multiply_add(sum[i][j], x, row[j]);
    }
  }
  for (int64_t i = 0; i < kRows; ++i)
    for (int64_t j = 0; j < kColumns; ++j) c[i * c_stride + j] = sum[i][j];
}

template <class T>
void partial_tile(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_stride, const T* b, int64_t b_stride,
                  T* c, int64_t c_stride) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t p = 0; p < k; ++p) {
      const T x = a[i * a_stride + p];
      for (int64_t j = 0; j < n; ++j)
        c[i * c_stride + j] = multiply_add(c[i * c_stride + j], x, b[p * b_stride + j]);
    }
}

}  // namespace

template <class T>
void add_product(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_stride, const T* b, int64_t b_stride,
                 T* c, int64_t c_stride) {
  int64_t i = 0;
  for (; i + kRows <= m; i += kRows) {
    int64_t j = 0;
    for (; j + kColumns <= n; j += kColumns)
      full_tile(k, a + i * a_stride, a_stride, b + j, b_stride, c + i * c_stride + j, c_stride);
    if (j < n)
      partial_tile(kRows, n - j, k, a + i * a_stride, a_stride, b + j, b_stride, c + i * c_stride + j,
                   c_stride);
  }
  if (i < m) partial_tile(m - i, n, k, a + i * a_stride, a_stride, b, b_stride, c + i * c_stride, c_stride);
}

template void add_product(int64_t, int64_t, int64_t, const double*, int64_t, const double*, int64_t, double*,
                          int64_t);
template void add_product(int64_t, int64_t, int64_t, const int64_t*, int64_t, const int64_t*, int64_t,
                          int64_t*, int64_t);
template void add_product(int64_t, int64_t, int64_t, const uint64_t*, int64_t, const uint64_t*, int64_t,
                          uint64_t*, int64_t);

}  // namespace tenon
