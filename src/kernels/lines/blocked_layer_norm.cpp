#include "kernels/lines/blocked_layer_norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lines/blocked_layer_norm.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/sum.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
#if HWY_TARGET == HWY_AVX3
constexpr int64_t kPixelsAtOnce = 8;
#else
constexpr int64_t kPixelsAtOnce = 4;
#endif

/// `kPixels` pixels beginning at `at` of a plane of an image.
template <int64_t kPixels>
HWY_INLINE void Pixels(const BlockedLayerNormCall& call, int64_t image, int64_t at) {
  const D d;
  const int64_t blocks = (call.channels + kLanes - 1) / kLanes, plane = call.pixels * kLanes;
  const int64_t ragged = call.channels - (blocks - 1) * kLanes;
  const float* in = call.input + image * blocks * plane + at * kLanes;
  float* out = call.output + image * blocks * plane + at * kLanes;
  const auto n = static_cast<double>(call.channels);
  const auto in_last = hn::FirstN(d, static_cast<size_t>(ragged));

  // The sums are of differences to a number near the mean, so that a large mean costs no accuracy.
  V near[kPixels], sums[kPixels], squares[kPixels];
  for (int64_t p = 0; p < kPixels; ++p) sums[p] = hn::Zero(d);
  for (int64_t b = 0; b + 1 < blocks; ++b) {
#pragma clang loop unroll(full)
    for (int64_t p = 0; p < kPixels; ++p)
      sums[p] = hn::Add(sums[p], hn::LoadU(d, in + b * plane + p * kLanes));
  }
  const float* last = in + (blocks - 1) * plane;
  float rough[kPixels];
#pragma clang loop unroll(full)
  for (int64_t p = 0; p < kPixels; ++p) {
    const V rest = hn::IfThenElseZero(in_last, hn::LoadU(d, last + p * kLanes));
    rough[p] = static_cast<float>(SumInDouble(d, hn::Add(sums[p], rest)) / n);
    near[p] = hn::Set(d, rough[p]);
    sums[p] = squares[p] = hn::Zero(d);
  }
  for (int64_t b = 0; b + 1 < blocks; ++b) {
#pragma clang loop unroll(full)
    for (int64_t p = 0; p < kPixels; ++p) {
      const V term = hn::Sub(hn::LoadU(d, in + b * plane + p * kLanes), near[p]);
      sums[p] = hn::Add(sums[p], term);
      squares[p] = hn::MulAdd(term, term, squares[p]);
    }
  }
  V means[kPixels], factors[kPixels];
#pragma clang loop unroll(full)
  for (int64_t p = 0; p < kPixels; ++p) {
    const V term = hn::IfThenElseZero(in_last, hn::Sub(hn::LoadU(d, last + p * kLanes), near[p]));
    const double off = SumInDouble(d, hn::Add(sums[p], term)) / n;
    const double variance = SumInDouble(d, hn::MulAdd(term, term, squares[p])) / n - off * off;
    means[p] = hn::Set(d, static_cast<float>(rough[p] + off));
    factors[p] = hn::Set(d, static_cast<float>(1 / std::sqrt(std::max(variance, 0.0) + call.epsilon)));
  }
  for (int64_t b = 0; b < blocks; ++b) {
    const V scale = hn::LoadU(d, call.scale + b * kLanes), bias = hn::LoadU(d, call.bias + b * kLanes);
#pragma clang loop unroll(full)
    for (int64_t p = 0; p < kPixels; ++p) {
      const V x = hn::LoadU(d, in + b * plane + p * kLanes);
      const V normal = hn::Mul(hn::Sub(x, means[p]), factors[p]);
      hn::StoreU(hn::MulAdd(normal, scale, bias), d, out + b * plane + p * kLanes);
    }
  }
}

/// Pixels [begin, end) of all images, one after the other.
HWY_NOINLINE void Run(const BlockedLayerNormCall& call, int64_t begin, int64_t end) {
  while (begin < end) {
    const int64_t image = begin / call.pixels, at = begin % call.pixels;
    const int64_t count = std::min(end - begin, call.pixels - at);
    int64_t p = 0;
    for (; p + kPixelsAtOnce <= count; p += kPixelsAtOnce) Pixels<kPixelsAtOnce>(call, image, at + p);
    for (; p < count; ++p) Pixels<1>(call, image, at + p);
    begin += count;
  }
}

constexpr auto kRun = &Run;

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

namespace {

/// Numbers that a thread takes at least, and pixels in multiples.
constexpr int64_t kGrainFloats = 4096, kGrainPixels = 8;

using PixelRange = void (*)(const BlockedLayerNormCall& call, int64_t begin, int64_t end);
PixelRange pixel_range(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kRun);
}

}  // namespace

void blocked_layer_norm(const BlockedLayerNormCall& call, Isa isa, const Services& services) {
  const int64_t pixels = call.images * call.pixels;
  if (pixels * call.channels == 0) return;
  const PixelRange run = pixel_range(isa);
  const int64_t grain = std::max<int64_t>(1, kGrainFloats / call.channels / kGrainPixels) * kGrainPixels;
  services.parallel_for(pixels, grain, [&](int64_t begin, int64_t end) { run(call, begin, end); });
}

}  // namespace tenon::kernels
#endif
