// Clamping that keeps NaN, once for each target. For vector sources: include after hwy/highway.h.
#if defined(TENON_KERNELS_SIMD_CLAMP_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TENON_KERNELS_SIMD_CLAMP_H
#undef TENON_KERNELS_SIMD_CLAMP_H
#else
#define TENON_KERNELS_SIMD_CLAMP_H
#endif

#include "hwy/highway.h"

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

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#endif
