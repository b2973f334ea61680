// The exponential function of float32 vectors, once for each target. For vector sources: include after
// hwy/highway.h.
#if defined(TENON_KERNELS_SIMD_EXP_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TENON_KERNELS_SIMD_EXP_H
#undef TENON_KERNELS_SIMD_EXP_H
#else
#define TENON_KERNELS_SIMD_EXP_H
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {

// Where exp(x) is a normal number.
inline constexpr float kExpLeast = -87.3365402f, kExpGreatest = 88.7228317f;

/// exp(x) = 2^n * mantissa, for x = n ln 2 + r and |r| <= ln 2 / 2: mantissa = 1 + r + r^2 p(r), where p has
/// the least greatest relative error of the result, 0.03 ULP. n is in the last bits of `shifted`.
template <class V>
struct ExpParts {
  V mantissa, n, shifted;
};

/// Of exp(x), or with kNegate of exp(-x), for -105 < x < 105. Rounded to 1 ULP.
template <bool kNegate, class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE ExpParts<V> ExponentialParts(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // n times the first is exact
  constexpr float kShift = 12582912.0f;  // 3 * 2^22: adding it rounds to an integer, in the last bits
  const V shifted = hn::MulAdd(x, hn::Set(d, kNegate ? -kLog2E : kLog2E), hn::Set(d, kShift));
  const V n = hn::Sub(shifted, hn::Set(d, kShift));
  const V high =
      kNegate ? hn::NegMulSub(n, hn::Set(d, kLn2High), x) : hn::NegMulAdd(n, hn::Set(d, kLn2High), x);
  const V r = hn::NegMulAdd(n, hn::Set(d, kLn2Low), high);
  V p = hn::Set(d, 0.0013814539f);
  p = hn::MulAdd(p, r, hn::Set(d, 0.008368745f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.04166839f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.16666521f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.49999994f));
  return {hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f)), n, shifted};
}

/// exp(x), or with kNegate exp(-x), within 1 ULP where that is a normal number: n is added to the exponent.
/// NaN gives some number.
template <bool kNegate = false, class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V NormalExponential(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> integers;
  const ExpParts<V> parts = ExponentialParts<kNegate>(d, x);
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(integers, parts.shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, parts.mantissa), exponent));
}

/// exp(x) within 1 ULP. Infinity beyond the greatest float32; below the least normal one 0, or with
/// kSubnormals what is there. NaN gives some number.
template <bool kSubnormals = false, class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V Exponential(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  constexpr float kLeast = kSubnormals ? -104.0f : kExpLeast;
  const V bounded = hn::Min(hn::Max(x, hn::Set(d, kLeast)), hn::Set(d, kExpGreatest));
  V result;
  if constexpr (kSubnormals) {
    // In two steps, of which the first stays within the normal numbers.
    const hn::RebindToSigned<D> integers;
    const ExpParts<V> parts = ExponentialParts<false>(d, bounded);
    const auto bias = hn::Set(integers, 127);
    const auto power = hn::ConvertTo(integers, parts.n), half = hn::ShiftRight<1>(power);
    const V first = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, bias)));
    const V second = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::Sub(power, half), bias)));
    result = hn::Mul(hn::Mul(parts.mantissa, first), second);
  } else {
    result = NormalExponential(d, bounded);
  }
  result = hn::IfThenElse(hn::Gt(x, hn::Set(d, kExpGreatest)), hn::Inf(d), result);
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, kLeast)), result);
}

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#endif
