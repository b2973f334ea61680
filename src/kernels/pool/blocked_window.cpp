#include "kernels/pool/blocked_window.h"

#include <limits>

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool/blocked_window.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr float kLeast = -std::numeric_limits<float>::infinity();

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);

/// kWindows windows from `first` on, side by side: each is one chain.
template <int kWindows>
HWY_INLINE void MaxOf(const WindowArgs& args, int64_t first) {
  const D d;
  V best[kWindows];
  hn::Mask<D> has_nan[kWindows];
#pragma clang loop unroll(full)
  for (int w = 0; w < kWindows; ++w) {
    best[w] = hn::Set(d, kLeast);
    has_nan[w] = hn::FirstN(d, 0);
  }
  const float* in = args.in + first * args.next;
  for (int64_t y = 0; y < args.rows; ++y) {
    for (int64_t x = 0; x < args.columns; ++x) {
      const float* at = in + y * args.row_stride + x * args.column_stride;
#pragma clang loop unroll(full)
      for (int w = 0; w < kWindows; ++w) {
        const V value = hn::LoadU(d, at + w * args.next);
        best[w] = hn::Max(best[w], value);
        has_nan[w] = hn::Or(has_nan[w], hn::IsNaN(value));
      }
    }
  }
#pragma clang loop unroll(full)
  for (int w = 0; w < kWindows; ++w)
    hn::StoreU(hn::IfThenElse(has_nan[w], hn::NaN(d), best[w]), d, args.out + (first + w) * kLanes);
}

void MaxWindows(const WindowArgs& args) {
  int64_t w = 0;
  for (; w + 4 <= args.count; w += 4) MaxOf<4>(args, w);
  for (; w < args.count; ++w) MaxOf<1>(args, w);
}

void AverageWindows(const WindowArgs& args) {
  const D d;
  for (int64_t w = 0; w < args.count; ++w) {
    V total = hn::Zero(d);
    for (int64_t y = 0; y < args.rows; ++y) {
      const float* row = args.in + w * args.next + y * args.row_stride;
      V sum = hn::Zero(d);
      for (int64_t x = 0; x < args.columns; ++x)
        sum = hn::Add(sum, hn::LoadU(d, row + x * args.column_stride));
      total = hn::Add(total, sum);
    }
    hn::StoreU(args.divisor == 0 ? hn::Zero(d) : hn::Div(total, hn::Set(d, args.divisor)), d,
               args.out + w * kLanes);
  }
}

const WindowFunctions kWindows = {&MaxWindows, &AverageWindows};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const WindowFunctions& window_functions(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kWindows);
}

}  // namespace tenon::kernels
#endif
