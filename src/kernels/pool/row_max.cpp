#include "kernels/pool/row_max.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool/row_max.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Of equal values, zeros of both signs among them, the first one stays.
template <class V>
HWY_INLINE V Greater(V best, V next) {
  return hn::IfThenElse(hn::Or(hn::Gt(next, best), hn::IsNaN(next)), next, best);
}

HWY_INLINE float GreaterOne(float best, float next) {
  return next > best || next != next ? next : best;
}

void RowMax(const float* const* rows, int64_t count, float* out, int64_t length) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  int64_t i = 0;
  for (; i + kLanes <= length; i += kLanes) {
    auto best = hn::LoadU(d, rows[0] + i);
    for (int64_t r = 1; r < count; ++r) best = Greater(best, hn::LoadU(d, rows[r] + i));
    hn::StoreU(best, d, out + i);
  }
  for (; i < length; ++i) {
    float best = rows[0][i];
    for (int64_t r = 1; r < count; ++r) best = GreaterOne(best, rows[r][i]);
    out[i] = best;
  }
}

// Named for the dispatch below.
constexpr RowMaxFunction kRowMax = &RowMax;

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

RowMaxFunction row_max_function(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kRowMax);
}

}  // namespace tenon::kernels
#endif
