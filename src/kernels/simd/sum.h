// Sums over the lanes of a vector, once for each target. For vector sources: include after hwy/highway.h.
#if defined(TENON_KERNELS_SIMD_SUM_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TENON_KERNELS_SIMD_SUM_H
#undef TENON_KERNELS_SIMD_SUM_H
#else
#define TENON_KERNELS_SIMD_SUM_H
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {

/// The sum of all lanes of a vector of float32, in float64.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE double SumInDouble(D d, V v) {
  namespace hn = hwy::HWY_NAMESPACE;
  (void)d;
  const hn::Half<D> half;
  const hn::RebindToFloat<hn::Repartition<int64_t, D>> wide;
  const auto low = hn::PromoteTo(wide, hn::LowerHalf(half, v));
  const auto high = hn::PromoteTo(wide, hn::UpperHalf(half, v));
  return hn::GetLane(hn::SumOfLanes(wide, hn::Add(low, high)));
}

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#endif
