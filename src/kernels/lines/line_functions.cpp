#include "kernels/lines/line_functions.h"

#include <limits>

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lines/line_functions.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h, which it extends.
#include "kernels/simd/exp.h"
#include "kernels/simd/partial.h"
#include "kernels/simd/sum.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);

/// Calls body(vector, first, count) for a line, the last vector filled up with `rest`.
template <class Body>
HWY_INLINE void ForVectors(const float* in, int64_t length, float rest, const Body& body) {
  const D d;
  int64_t i = 0;
  for (; i + kLanes <= length; i += kLanes) body(hn::LoadU(d, in + i), i, kLanes);
  if (i == length) return;
  body(LoadFirst(d, in + i, length - i, rest), i, length - i);
}

/// exp(x - max): with the difference's rounding error e, exp(difference) * (1 + e). With kNormal all results
/// are known to be normal numbers, and have the same bits.
template <bool kNormal>
HWY_INLINE V ExpDifference(V x, V max) {
  const D d;
  const V difference = hn::Sub(x, max);
  const V back = hn::Sub(difference, x);
  const V error = hn::Sub(hn::Sub(x, hn::Sub(difference, back)), hn::Add(max, back));
  if constexpr (kNormal) {
    const V power = NormalExponential(d, difference);
    return hn::MulAdd(power, error, power);
  }
  // The result is zero far below, and the error of an infinite difference is no number.
  const V power = Exponential<true>(d, difference);
  const V finite =
      hn::IfThenElseZero(hn::Gt(difference, hn::Set(d, -104.0f)), hn::MulAdd(power, error, power));
  return hn::IfThenElse(hn::IsNaN(difference), difference, finite);
}

template <bool kNormal>
HWY_INLINE void SoftmaxBelow(const float* in, float* out, int64_t length, float most) {
  const D d;
  const V max = hn::Set(d, most);
  V sum = hn::Zero(d), last = hn::Zero(d);
  ForVectors(in, length, most, [&](V x, int64_t i, int64_t count) HWY_ATTR {
    const V power = ExpDifference<kNormal>(x, max);
    if (count == kLanes) {
      hn::StoreU(power, d, out + i);
      sum = hn::Add(sum, power);
    } else {
      last = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(count)), power);
      sum = hn::Add(sum, last);
    }
  });
  const V factor = hn::Set(d, 1 / hn::GetLane(hn::SumOfLanes(d, sum)));
  int64_t i = 0;
  for (; i + kLanes <= length; i += kLanes) hn::StoreU(hn::Mul(hn::LoadU(d, out + i), factor), d, out + i);
  if (i < length) StoreFirst(hn::Mul(last, factor), d, out + i, length - i);
}

void Softmax(const float* in, float* out, int64_t length) {
  const D d;
  V greatest = hn::Set(d, in[0]), least = greatest;
  ForVectors(in, length, in[0], [&](V x, int64_t, int64_t) HWY_ATTR {
    greatest = hn::IfThenElse(hn::Or(hn::Gt(x, greatest), hn::IsNaN(x)), x, greatest);
    least = hn::Min(least, x);
  });
  // A NaN in the line makes all of it NaN, as in exact arithmetic.
  if (!hn::AllFalse(d, hn::IsNaN(greatest)))
    return SoftmaxBelow<false>(in, out, length, std::numeric_limits<float>::quiet_NaN());
  const float most = hn::GetLane(hn::MaxOfLanes(d, greatest));
  constexpr float kSurelyNormal = -87;
  if (hn::AllTrue(d, hn::Gt(least, hn::Set(d, most + kSurelyNormal))))
    return SoftmaxBelow<true>(in, out, length, most);
  SoftmaxBelow<false>(in, out, length, most);
}

/// The sum of in[i] - shift or, with kSquare, of the squares.
template <bool kSquare>
double Sum(const float* in, int64_t length, float shift) {
  const D d;
  const V shifts = hn::Set(d, shift);
  const auto add = [&](V sum, V x) HWY_ATTR {
    const V term = hn::Sub(x, shifts);
    return kSquare ? hn::MulAdd(term, term, sum) : hn::Add(sum, term);
  };
  V sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  int64_t i = 0;
  for (; i + 4 * kLanes <= length; i += 4 * kLanes) {
#pragma clang loop unroll(full)
    for (int k = 0; k < 4; ++k) sums[k] = add(sums[k], hn::LoadU(d, in + i + k * kLanes));
  }
  ForVectors(in + i, length - i, shift, [&](V x, int64_t, int64_t) HWY_ATTR { sums[0] = add(sums[0], x); });
  return SumInDouble(d, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3])));
}

void Normalise(const float* in, float* out, int64_t length, float mean, float factor, const float* scale,
               const float* bias) {
  const D d;
  const V means = hn::Set(d, mean), factors = hn::Set(d, factor);
  const auto one = [&](V x, V s, V b)
                       HWY_ATTR { return hn::MulAdd(hn::Mul(hn::Sub(x, means), factors), s, b); };
  int64_t i = 0;
  for (; i + kLanes <= length; i += kLanes)
    hn::StoreU(one(hn::LoadU(d, in + i), hn::LoadU(d, scale + i),
                   bias != nullptr ? hn::LoadU(d, bias + i) : hn::Zero(d)),
               d, out + i);
  for (; i < length; ++i) {
    const V b = bias != nullptr ? hn::Set(d, bias[i]) : hn::Zero(d);
    out[i] = hn::GetLane(one(hn::Set(d, in[i]), hn::Set(d, scale[i]), b));
  }
}

const LineFunctions kLines = {&Softmax, &Sum<false>, &Sum<true>, &Normalise};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const LineFunctions& line_functions(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kLines);
}

}  // namespace tenon::kernels
#endif
