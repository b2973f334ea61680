#include "kernels/elementwise/binary_run.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/binary_run.cpp"
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

template <BinaryOp kOp>
HWY_INLINE V Apply(V a, V b) {
  if constexpr (kOp == BinaryOp::kAdd) return hn::Add(a, b);
  if constexpr (kOp == BinaryOp::kSub) return hn::Sub(a, b);
  if constexpr (kOp == BinaryOp::kMul) return hn::Mul(a, b);
  if constexpr (kOp == BinaryOp::kDiv) return hn::Div(a, b);
}

template <BinaryOp kOp, bool kFirstMoves, bool kSecondMoves>
HWY_INLINE void Line(const float* a, const float* b, float* out, int64_t count) {
  const D d;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  const V first = hn::Set(d, *a), second = hn::Set(d, *b);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    hn::StoreU(
        Apply<kOp>(kFirstMoves ? hn::LoadU(d, a + i) : first, kSecondMoves ? hn::LoadU(d, b + i) : second), d,
        out + i);
  if (i == count) return;
  const V x = kFirstMoves ? LoadFirst(d, a + i, count - i) : first;
  const V y = kSecondMoves ? LoadFirst(d, b + i, count - i, 1) : second;
  StoreFirst(Apply<kOp>(x, y), d, out + i, count - i);
}

template <BinaryOp kOp>
HWY_NOINLINE void Run(const float* a, int64_t a_step, const float* b, int64_t b_step, float* out,
                      int64_t count) {
  if (count == 0) return;
  if (a_step != 0 && b_step != 0) return Line<kOp, true, true>(a, b, out, count);
  if (a_step != 0) return Line<kOp, true, false>(a, b, out, count);
  if (b_step != 0) return Line<kOp, false, true>(a, b, out, count);
  Line<kOp, false, false>(a, b, out, count);
}

constexpr BinaryRun kRuns[] = {&Run<BinaryOp::kAdd>, &Run<BinaryOp::kSub>, &Run<BinaryOp::kMul>,
                               &Run<BinaryOp::kDiv>};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

BinaryRun binary_run(BinaryOp op, Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kRuns[static_cast<int>(op)]);
}

}  // namespace tenon::kernels
#endif
