#include "kernels/elementwise/channel_scale.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/channel_scale.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void ChannelScaleRun(const float* in, float* out, int64_t count, const float* scale, const float* shift,
                     int64_t lanes) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  const auto s = lanes == 1 ? hn::Set(d, *scale) : hn::LoadU(d, scale);
  const auto t = shift == nullptr ? hn::Zero(d) : lanes == 1 ? hn::Set(d, *shift) : hn::LoadU(d, shift);
  int64_t i = 0;
  if (shift == nullptr) {
    for (; i + kLanes <= count; i += kLanes) hn::StoreU(hn::Mul(hn::LoadU(d, in + i), s), d, out + i);
  } else {
    for (; i + kLanes <= count; i += kLanes) hn::StoreU(hn::MulAdd(hn::LoadU(d, in + i), s, t), d, out + i);
  }
  if (i == count) return;
  // Only runs of single channels end within a vector.
  HWY_ALIGN float part[kLanes] = {};
  for (int64_t j = i; j < count; ++j) part[j - i] = in[j];
  const auto x = hn::Load(d, part);
  hn::Store(shift == nullptr ? hn::Mul(x, s) : hn::MulAdd(x, s, t), d, part);
  for (int64_t j = i; j < count; ++j) out[j] = part[j - i];
}

constexpr ChannelScaleFunction kChannelScale = &ChannelScaleRun;

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

ChannelScaleFunction channel_scale_function(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kChannelScale);
}

}  // namespace tenon::kernels
#endif
