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

void MaxWindow(const WindowArgs& args) {
  const hn::ScalableTag<float> d;
  auto best = hn::Set(d, kLeast);
  for (int64_t y = 0; y < args.rows; ++y) {
    const float* row = args.in + y * args.row_stride;
    for (int64_t x = 0; x < args.columns; ++x) {
      const auto next = hn::LoadU(d, row + x * args.column_stride);
      best = hn::IfThenElse(hn::Or(hn::Gt(next, best), hn::IsNaN(next)), next, best);
    }
  }
  hn::StoreU(best, d, args.out);
}

void AverageWindow(const WindowArgs& args) {
  const hn::ScalableTag<float> d;
  auto total = hn::Zero(d);
  for (int64_t y = 0; y < args.rows; ++y) {
    const float* row = args.in + y * args.row_stride;
    auto sum = hn::Zero(d);
    for (int64_t x = 0; x < args.columns; ++x) sum = hn::Add(sum, hn::LoadU(d, row + x * args.column_stride));
    total = hn::Add(total, sum);
  }
  hn::StoreU(args.divisor == 0 ? hn::Zero(d) : hn::Div(total, hn::Set(d, args.divisor)), d, args.out);
}

const WindowFunctions kWindows = {&MaxWindow, &AverageWindow};

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
