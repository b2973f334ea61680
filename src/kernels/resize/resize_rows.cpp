#include "kernels/resize/resize_rows.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resize/resize_rows.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/partial.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);

HWY_INLINE void StoreUpTo(V v, float* to, int64_t count) {
  const D d;
  if (count >= kLanes)
    hn::StoreU(v, d, to);
  else
    StoreFirst(v, d, to, count);
}

HWY_NOINLINE void Spread(const float* in, const int32_t* indices, const float* weights, int64_t taps,
                         int64_t stride, int64_t count, float* out) {
  const D d;
  const hn::RebindToSigned<D> di;
  for (int64_t i = 0; i < count; i += kLanes) {
    V sum = hn::Mul(hn::GatherIndex(d, in, hn::LoadU(di, indices + i)), hn::LoadU(d, weights + i));
    for (int64_t t = 1; t < taps; ++t)
      sum = hn::MulAdd(hn::GatherIndex(d, in, hn::LoadU(di, indices + t * stride + i)),
                       hn::LoadU(d, weights + t * stride + i), sum);
    StoreUpTo(sum, out + i, count - i);
  }
}

HWY_NOINLINE void SpreadBlocks(const float* in, const size_t* offsets, const int64_t* indices,
                               const float* weights, int64_t count, float* out) {
  const D d;
  for (int64_t i = 0; i < count; ++i) {
    const size_t first = offsets[i], last = offsets[i + 1];
    V sum = hn::Mul(hn::LoadU(d, in + indices[first] * kLanes), hn::Set(d, weights[first]));
    for (size_t t = first + 1; t < last; ++t)
      sum = hn::MulAdd(hn::LoadU(d, in + indices[t] * kLanes), hn::Set(d, weights[t]), sum);
    hn::StoreU(sum, d, out + i * kLanes);
  }
}

HWY_NOINLINE void Mix(const float* const* rows, const float* weights, int64_t taps, int64_t count,
                      float* out) {
  const D d;
  for (int64_t i = 0; i < count; i += kLanes) {
    const bool is_whole = i + kLanes <= count;
    const auto load = [&](int64_t t) HWY_ATTR {
      return is_whole ? hn::LoadU(d, rows[t] + i) : LoadFirst(d, rows[t] + i, count - i);
    };
    V sum = hn::Mul(load(0), hn::Set(d, weights[0]));
    for (int64_t t = 1; t < taps; ++t) sum = hn::MulAdd(load(t), hn::Set(d, weights[t]), sum);
    StoreUpTo(sum, out + i, count - i);
  }
}

const ResizeRows kResizeRows = {&Spread, &SpreadBlocks, &Mix};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const ResizeRows& resize_rows(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kResizeRows);
}

}  // namespace tenon::kernels
#endif
