#include "kernels/gemm/pack.h"

#include <algorithm>

#include "kernels/gemm/tile.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm/pack.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/partial.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Four rows by four columns.
HWY_INLINE void PackSquare(const float* from, int64_t stride, int64_t to_stride, float* to) {
  const hn::FixedTag<float, 4> d;
  const hn::FixedTag<double, 2> pairs;
  const auto row0 = hn::LoadU(d, from), row1 = hn::LoadU(d, from + stride);
  const auto row2 = hn::LoadU(d, from + 2 * stride), row3 = hn::LoadU(d, from + 3 * stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * to_stride);
}

HWY_NOINLINE void Rows(const float* from, int64_t stride, int64_t rows, int64_t depth,
                       float* HWY_RESTRICT to) {
  const hn::CappedTag<float, kTermBlock> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t k = 0;
  for (; k + kTermBlock <= depth; k += kTermBlock) {
    for (int64_t r = 0; r < rows; ++r, to += kTermBlock)
      for (int64_t i = 0; i < kTermBlock; i += lanes)
        hn::StoreU(hn::LoadU(d, from + r * stride + k + i), d, to + i);
  }
  for (int64_t r = 0; r < rows && k < depth; ++r, to += kTermBlock)
    std::copy_n(from + r * stride + k, depth - k, to);
}

HWY_NOINLINE void Loaded(const LoadedRows& from, int64_t rows, int64_t depth, float* HWY_RESTRICT to) {
  const hn::CappedTag<float, kTermBlock> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t k = 0; k < depth; k += kTermBlock) {
    const int64_t terms = std::min(kTermBlock, depth - k);
    for (int64_t r = 0; r < rows; ++r, to += kTermBlock) {
      if (terms == kTermBlock)
        for (int64_t i = 0; i < kTermBlock; i += lanes)
          hn::StoreU(hn::LoadU(d, from.rows[r] + k + i), d, to + i);
      else
        std::copy_n(from.rows[r] + k, terms, to);
      if (from.means == nullptr) continue;
      const auto mean = hn::Set(d, from.means[r]), factor = hn::Set(d, from.factors[r]);
      for (int64_t i = 0; i < terms; i += lanes) {
        const auto x = hn::Mul(hn::Sub(hn::LoadU(d, to + i), mean), factor);
        hn::StoreU(hn::MulAdd(x, hn::LoadU(d, from.scale + k + i), hn::LoadU(d, from.bias + k + i)), d,
                   to + i);
      }
    }
  }
}

HWY_NOINLINE void Transposed(const float* from, int64_t stride, int64_t columns, int64_t depth, int64_t width,
                             float* to) {
  int64_t k = 0;
  if (columns >= 4) {
    for (; k + 4 <= depth; k += 4) {
      for (int64_t j = 0; j + 4 <= columns; j += 4)
        PackSquare(from + j * stride + k, stride, width, to + k * width + j);
      // The last four columns may have been packed in part.
      if (columns % 4 != 0)
        PackSquare(from + (columns - 4) * stride + k, stride, width, to + k * width + columns - 4);
    }
  }
  for (; k < depth; ++k)
    for (int64_t j = 0; j < columns; ++j) to[k * width + j] = from[j * stride + k];
}

HWY_NOINLINE void Columns(const float* from, int64_t stride, int64_t columns, int64_t depth, int64_t width,
                          float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  for (int64_t k = 0; k < depth; ++k, from += stride, to += width) {
    int64_t j = 0;
    for (; j + kLanes <= columns; j += kLanes) hn::StoreU(hn::LoadU(d, from + j), d, to + j);
    for (; j < width; j += kLanes)
      hn::StoreU(j < columns ? LoadFirst(d, from + j, columns - j) : hn::Zero(d), d, to + j);
  }
}

const PackFunctions kPackFunctions = {&Rows, &Transposed, &Columns, &Loaded};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const PackFunctions& pack_functions(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kPackFunctions);
}

}  // namespace tenon::kernels
#endif
