#include "kernels/math/unary.h"

#include <type_traits>

#include "kernels/math/normal_tail.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/math/unary.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h, which it extends.
#include "hwy/contrib/math/math-inl.h"
#include "kernels/simd/exp.h"
#include "kernels/simd/partial.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

HWY_INLINE V Clamp(V x, V low, V high) {
  return hn::Min(high, hn::Max(low, x));
}

/// numerator / (1 + exp(-x)); 0 where exp(-x) is beyond the numbers.
HWY_INLINE V OverLogistic(D d, V numerator, V x) {
  const V bounded = hn::Min(hn::Max(x, hn::Set(d, -kExpGreatest)), hn::Set(d, -kExpLeast));
  const V e = NormalExponential</*kNegate=*/true>(d, bounded);
  const V result = hn::Div(numerator, hn::Add(hn::Set(d, 1.0f), e));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -kExpGreatest)), result);
}

/// Below 1, x + x p(x^2); above, 1 - exp(q(|x|)), since log(1 - erf) is smooth. Both polynomials are fitted
/// to the least greatest relative error of the result: 0.02 and 0.0004 units in the last place before
/// rounding.
HWY_INLINE V Erf(D d, V x) {
  constexpr float kNear[] = {0.12837916612625122f,   -0.3761262595653534f, 0.1128358542919159f,
                             -0.026853810995817184f, 0.00518832728266716f, -0.000801019137725234f,
                             7.85385345807299e-05f};
  constexpr float kFar[] = {0.00018847091996576637f, -1.1295803785324097f,  -0.633216381072998f,
                            -0.10842213034629822f,   0.025210360065102577f, -0.0042052920907735825f,
                            0.00044147411244921386f, -2.16977387026418e-05f};
  const V magnitude = hn::Abs(x);
  const V square = hn::Mul(x, x);
  V near = hn::Set(d, kNear[6]);
  for (int k = 5; k >= 0; --k) near = hn::MulAdd(near, square, hn::Set(d, kNear[k]));
  near = hn::MulAdd(near, x, x);
  const V t = hn::Min(magnitude, hn::Set(d, 4.0f));  // beyond, the result is 1
  V far = hn::Set(d, kFar[7]);
  for (int k = 6; k >= 0; --k) far = hn::MulAdd(far, t, hn::Set(d, kFar[k]));
  far = hn::CopySign(hn::Sub(hn::Set(d, 1.0f), Exponential(d, far)), x);
  return hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 1.0f)), near, far);
}

/// What rounding took from the product a * b, where a and b are not tiny.
HWY_INLINE V ProductError(D d, V a, V b, V product) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  (void)d;
  return hn::MulSub(a, b, product);
#else
  // Without fused operations: the products of halves are exact (T. J. Dekker, Numer. Math. 18, 1971).
  const V mask = hn::BitCast(d, hn::Set(hn::RebindToUnsigned<D>(), 0xfffff000u));
  const V a_high = hn::And(a, mask), b_high = hn::And(b, mask);
  const V a_low = hn::Sub(a, a_high), b_low = hn::Sub(b, b_high);
  const V high = hn::Sub(hn::Mul(a_high, b_high), product);
  return hn::Add(hn::Add(hn::Add(high, hn::Mul(a_high, b_low)), hn::Mul(a_low, b_high)),
                 hn::Mul(a_low, b_low));
#endif
}

/// x * Phi(x), where Phi(-t) = exp(-t^2 / 2) p(t) / q(t): the fraction is smooth, and fitted with an error of
/// 0.05 ULP up to 13.2, beyond which Phi(-t) is 0.
HWY_INLINE V Gelu(D d, V x) {
  constexpr float kP[] = {0.5f, 0.43545213f, 0.18113425f, 0.03992627f, 0.0040116543f};
  constexpr float kQ[] = {1.0f, 1.6687891f, 1.1937655f, 0.46392506f, 0.100087784f, 0.01005558f};
  const V t = hn::Min(hn::Abs(x), hn::Set(d, 14.0f));
  // -t^2 / 2 and what rounding takes from it, since exp makes absolute errors relative.
  const V half = hn::Mul(t, hn::Set(d, -0.5f));
  const V power = hn::Mul(half, t);
  const V error = ProductError(d, half, t, power);
  const V e = hn::IfThenZeroElse(hn::Lt(power, hn::Set(d, kExpLeast)),
                                 NormalExponential(d, hn::Max(power, hn::Set(d, kExpLeast))));
  V p = hn::Set(d, kP[4]), q = hn::MulAdd(hn::Set(d, kQ[5]), t, hn::Set(d, kQ[4]));
#pragma clang loop unroll(full)
  for (int k = 3; k >= 0; --k) {
    p = hn::MulAdd(p, t, hn::Set(d, kP[k]));
    q = hn::MulAdd(q, t, hn::Set(d, kQ[k]));
  }
  const V tail = hn::Div(hn::Mul(hn::MulAdd(e, error, e), p), q);
  return hn::Mul(x, hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 1.0f), tail)));
}

#if HWY_TARGET == HWY_AVX3
/// Gelu with Phi(-t) from the table of normal_tail.h, whose coefficients lie in registers.
class TabledGelu {
 public:
  HWY_INLINE TabledGelu() {
    const D d;
#pragma clang loop unroll(full)
    for (int i = 0; i < kPowers; ++i) {
      first_[i] = hn::Load(d, kNormalTail[i]);
      second_[i] = hn::Load(d, kNormalTail[i] + kPieces / 2);
    }
  }

  /// Each result is made by x alone, whatever is beside it.
  HWY_INLINE V operator()(V x) const {
    const D d;
    const V tail = Tail(hn::Abs(x));
    const V result =
        hn::Mul(x, hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 1.0f), tail)));
    // Further down the pieces are too coarse.
    const auto is_far = hn::Lt(x, hn::Set(d, -5.25f));
    if (HWY_LIKELY(hn::AllFalse(d, is_far))) return result;
    return hn::IfThenElse(is_far, Gelu(d, x), result);
  }

 private:
  static constexpr int kPowers = std::extent_v<decltype(kNormalTail), 0>,
                       kPieces = std::extent_v<decltype(kNormalTail), 1>;
  static_assert(kPieces == 2 * HWY_MAX_BYTES / sizeof(float));

  /// Beyond the pieces the end of the last one, 2e-9.
  HWY_INLINE V Tail(V x) const {
    const D d;
    const V t = hn::Min(x, hn::Set(d, (kPieces - 0.51f) * kNormalTailStep));
    // Adding 2^23 rounds to an integer, in the last bits.
    const V shifted = hn::MulAdd(t, hn::Set(d, 1 / kNormalTailStep), hn::Set(d, 8388608.0f));
    const V middle = hn::Sub(shifted, hn::Set(d, 8388608.0f));
    const V r = hn::NegMulAdd(middle, hn::Set(d, kNormalTailStep), t);
    const __m512i piece = _mm512_castps_si512(shifted.raw);
    const auto coefficient = [&](int i) HWY_ATTR {
      return V{_mm512_permutex2var_ps(first_[i].raw, piece, second_[i].raw)};
    };
    V sum = coefficient(kPowers - 1);
#pragma clang loop unroll(full)
    for (int i = kPowers - 2; i >= 0; --i) sum = hn::MulAdd(sum, r, coefficient(i));
    return sum;
  }

  V first_[kPowers], second_[kPowers];
};
#endif

/// Keeps NaN where a formula would lose it.
HWY_INLINE V OrNaN(V x, V result) {
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

template <Unary kKind>
HWY_INLINE V Apply(D d, V x, V a, V b) {
  if constexpr (kKind == Unary::kClamp) return OrNaN(x, Clamp(x, a, b));
  if constexpr (kKind == Unary::kLeakyRelu) return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(a, x), x);
  if constexpr (kKind == Unary::kHardSigmoid)
    return OrNaN(x, Clamp(hn::MulAdd(a, x, b), hn::Zero(d), hn::Set(d, 1.0f)));
  if constexpr (kKind == Unary::kHardSwish)
    return hn::Mul(
        x, Clamp(hn::MulAdd(x, hn::Set(d, 1.0f / 6.0f), hn::Set(d, 0.5f)), hn::Zero(d), hn::Set(d, 1.0f)));
  if constexpr (kKind == Unary::kExp) return OrNaN(x, Exponential(d, x));
  if constexpr (kKind == Unary::kSigmoid) return OrNaN(x, OverLogistic(d, hn::Set(d, 1.0f), x));
  if constexpr (kKind == Unary::kSilu) return OverLogistic(d, x, x);
  if constexpr (kKind == Unary::kTanh) return OrNaN(x, hn::Tanh(d, x));
  if constexpr (kKind == Unary::kErf) return OrNaN(x, Erf(d, x));
  if constexpr (kKind == Unary::kGelu) return Gelu(d, x);
  if constexpr (kKind == Unary::kAdd) return hn::Add(x, a);
  if constexpr (kKind == Unary::kMultiply) return hn::Mul(x, a);
  if constexpr (kKind == Unary::kDivide) return hn::Div(x, a);
}

template <Unary kKind>
HWY_NOINLINE void Run(const UnaryCall& call) {
  const D d;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  const V a = hn::Set(d, call.a), b = hn::Set(d, call.b);
  const int64_t count = call.count;
  // Several vectors at a time: each is one long chain of operations. Gelu needs many registers.
  constexpr int64_t kAtOnce = kKind == Unary::kGelu ? 2 : 4;
  for (int64_t r = 0; r < call.rows; ++r) {
    const float* in = call.in + r * call.in_stride;
    float* out = call.out + r * call.out_stride;
    int64_t i = 0;
    for (; i + kAtOnce * kLanes <= count; i += kAtOnce * kLanes) {
      V vectors[kAtOnce];
#pragma clang loop unroll(full)
      for (int64_t v = 0; v < kAtOnce; ++v)
        vectors[v] = Apply<kKind>(d, hn::LoadU(d, in + i + v * kLanes), a, b);
#pragma clang loop unroll(full)
      for (int64_t v = 0; v < kAtOnce; ++v) hn::StoreU(vectors[v], d, out + i + v * kLanes);
    }
    for (; i + kLanes <= count; i += kLanes)
      hn::StoreU(Apply<kKind>(d, hn::LoadU(d, in + i), a, b), d, out + i);
    if (i < count) StoreFirst(Apply<kKind>(d, LoadFirst(d, in + i, count - i), a, b), d, out + i, count - i);
  }
}

#if HWY_TARGET == HWY_AVX3
HWY_NOINLINE void RunTabledGelu(const UnaryCall& call) {
  const D d;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  const TabledGelu gelu;
  for (int64_t r = 0; r < call.rows; ++r) {
    const float* in = call.in + r * call.in_stride;
    float* out = call.out + r * call.out_stride;
    int64_t i = 0;
    for (; i + kLanes <= call.count; i += kLanes) hn::StoreU(gelu(hn::LoadU(d, in + i)), d, out + i);
    if (const int64_t left = call.count - i; left > 0)
      StoreFirst(gelu(LoadFirst(d, in + i, left)), d, out + i, left);
  }
}
constexpr UnaryFunction kGelu = &RunTabledGelu;
#else
constexpr UnaryFunction kGelu = &Run<Unary::kGelu>;
#endif

// In the order of Unary.
const UnaryFunction kFunctions[kUnaryCount] = {&Run<Unary::kClamp>,       &Run<Unary::kLeakyRelu>,
                                               &Run<Unary::kHardSigmoid>, &Run<Unary::kHardSwish>,
                                               &Run<Unary::kExp>,         &Run<Unary::kSigmoid>,
                                               &Run<Unary::kSilu>,        &Run<Unary::kTanh>,
                                               &Run<Unary::kErf>,         kGelu,
                                               &Run<Unary::kAdd>,         &Run<Unary::kMultiply>,
                                               &Run<Unary::kDivide>};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

UnaryFunction unary_function(Isa isa, Unary kind) {
  TENON_RETURN_FOR_ISA(isa, kFunctions[static_cast<int>(kind)]);
}

}  // namespace tenon::kernels
#endif
