// The end of a register tile, and clamping that keeps NaN, once for each target. For vector sources: include
// after hwy/highway.h.
#if defined(TENON_KERNELS_SIMD_TILE_END_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TENON_KERNELS_SIMD_TILE_END_H
#undef TENON_KERNELS_SIMD_TILE_END_H
#else
#define TENON_KERNELS_SIMD_TILE_END_H
#endif

#include "hwy/highway.h"
#include "kernels/gemm/tile_end.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {

/// NaN stays NaN: the vector instructions give their second operand when one is NaN, the portable code does
/// not.
template <class V>
HWY_INLINE V ClampKeepingNan(V v, V low, V high) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V clamped = hn::Min(high, hn::Max(low, v));
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  return clamped;
#else
  return hn::IfThenElse(hn::IsNaN(v), v, clamped);
#endif
}

/// Applies the end to sums of `kRows` rows of `kVectors` vectors.
template <int kRows, int kVectors, class V>
HWY_INLINE void Leave(TileEnd end, V (&sums)[kRows][kVectors]) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::DFromV<V> d;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  if (end.partial != nullptr) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j)
        sums[i][j] = hn::Add(hn::LoadU(d, end.partial + (i * kVectors + j) * kLanes), sums[i][j]);
    }
  }
  if (end.operand != nullptr) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j)
        sums[i][j] = hn::Add(sums[i][j], hn::LoadU(d, end.operand + i * end.stride + j * kLanes));
    }
  }
  if (!end.clamps()) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) hn::StoreU(sums[i][j], d, end.to + i * end.stride + j * kLanes);
    }
    return;
  }
  const V low = hn::Set(d, end.low), high = hn::Set(d, end.high);
#pragma clang loop unroll(full)
  for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j)
      hn::StoreU(ClampKeepingNan(sums[i][j], low, high), d, end.to + i * end.stride + j * kLanes);
  }
}

/// Brings `next` while sums go on: two lines for each call of Fetch, so that loads never wait for a queue of
/// them. Beyond the end it brings the last ones again, and `near`, memory that is in use anyway, when there
/// is nothing to bring: a branch would cost the tiles registers.
class Trickle {
 public:
  HWY_INLINE Trickle(const ReadNext& next, const float* near)
      : at_(next.floats > 0 ? next.from : near),
        last_(at_ + (next.floats > kStep ? next.floats - kStep : 0)) {}
  HWY_INLINE void Fetch() {
    __builtin_prefetch(at_, 0, 2);
    __builtin_prefetch(at_ + kLineFloats, 0, 2);
    at_ = at_ + kStep < last_ ? at_ + kStep : last_;
  }

 private:
  static constexpr int64_t kStep = 2 * kLineFloats;
  const float* at_;
  const float* last_;
};

/// Goes through rows that will be read or written, and stays at the last one. Without rows it is at `near`.
class RowTrickle {
 public:
  HWY_INLINE RowTrickle(const RowsNext& next, const float* near)
      : first_(next.rows > 0 ? next.first : near),
        at_(first_),
        last_(next.rows > 0 ? at_ + (next.rows - 1) * next.stride : near),
        stride_(next.stride) {}
  HWY_INLINE const float* At() const { return at_; }
  HWY_INLINE void Advance() { at_ = at_ < last_ ? at_ + stride_ : last_; }
  HWY_INLINE void MoveTo(int64_t row) {
    const float* to = first_ + row * stride_;
    at_ = to < last_ ? to : last_;
  }

 private:
  const float* first_;
  const float* at_;
  const float* last_;
  int64_t stride_;
};

/// The end of the next one of tiles whose outputs are `to_step` floats apart.
template <int kRows, int kVectors>
HWY_INLINE void Advance(TileEnd& end, int64_t to_step) {
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  end.to += to_step;
  if (end.operand != nullptr) end.operand += to_step;
  if (end.partial != nullptr) end.partial += kRows * kVectors * kLanes;
}

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#endif
