// Loads and stores of the first lanes of a vector that touch no memory beyond them, once for each target. For
// vector sources: include after hwy/highway.h.
#if defined(TENON_KERNELS_SIMD_PARTIAL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TENON_KERNELS_SIMD_PARTIAL_H
#undef TENON_KERNELS_SIMD_PARTIAL_H
#else
#define TENON_KERNELS_SIMD_PARTIAL_H
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {

/// The lanes from `count` on are `rest`.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V LoadFirst(D d, const float* from, int64_t count, float rest = 0) {
  namespace hn = hwy::HWY_NAMESPACE;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  const auto mask = hn::FirstN(d, static_cast<size_t>(count));
  return hn::IfThenElse(mask, hn::MaskedLoad(mask, d, from), hn::Set(d, rest));
#else
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
  for (int64_t j = 0; j < static_cast<int64_t>(hn::Lanes(d)); ++j) part[j] = j < count ? from[j] : rest;
  return hn::Load(d, part);
#endif
}

template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE void StoreFirst(V v, D d, float* to, int64_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(count)), d, to);
#else
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, part);
  for (int64_t j = 0; j < count; ++j) to[j] = part[j];
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#endif
