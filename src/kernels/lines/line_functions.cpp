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

/// Stores a vector that ForVectors gave.
HWY_INLINE void StoreBack(V v, float* out, int64_t count) {
  const D d;
  if (count == kLanes)
    hn::StoreU(v, d, out);
  else
    StoreFirst(v, d, out, count);
}

/// exp(x - max): with the difference's rounding error e, exp(difference) * (1 + e).
HWY_INLINE V ExpDifference(V x, V max) {
  const D d;
  const V difference = hn::Sub(x, max);
  const V back = hn::Sub(difference, x);
  const V error = hn::Sub(hn::Sub(x, hn::Sub(difference, back)), hn::Add(max, back));
  // The result is zero far below, and the error of an infinite difference is no number.
  const V power = Exponential<true>(d, difference);
  const V finite =
      hn::IfThenElseZero(hn::Gt(difference, hn::Set(d, -104.0f)), hn::MulAdd(power, error, power));
  return hn::IfThenElse(hn::IsNaN(difference), difference, finite);
}

void Softmax(const float* in, float* out, int64_t length) {
  const D d;
  V greatest = hn::Set(d, in[0]);
  ForVectors(in, length, in[0], [&](V x, int64_t, int64_t) HWY_ATTR {
    greatest = hn::IfThenElse(hn::Or(hn::Gt(x, greatest), hn::IsNaN(x)), x, greatest);
  });
  // A NaN in the line makes all of it NaN, as in exact arithmetic.
  const bool has_nan = !hn::AllFalse(d, hn::IsNaN(greatest));
  const float most =
      has_nan ? std::numeric_limits<float>::quiet_NaN() : hn::GetLane(hn::MaxOfLanes(d, greatest));
  const V max = hn::Set(d, most);
  V sum = hn::Zero(d);
  ForVectors(in, length, most, [&](V x, int64_t i, int64_t count) HWY_ATTR {
    const V power = ExpDifference(x, max);
    StoreBack(power, out + i, count);
    sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(count)), power));
  });
  const V total = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, sum)));
  ForVectors(out, length, 0,
             [&](V x, int64_t i, int64_t count) HWY_ATTR { StoreBack(hn::Div(x, total), out + i, count); });
}

template <bool kSquare>
double Sum(const float* in, int64_t length, float shift) {
  const D d;
  const V shifts = hn::Set(d, shift);
  V sum = hn::Zero(d);
  ForVectors(in, length, shift, [&](V x, int64_t, int64_t) HWY_ATTR {
    const V term = hn::Sub(x, shifts);
    sum = kSquare ? hn::MulAdd(term, term, sum) : hn::Add(sum, term);
  });
  HWY_ALIGN float lanes[kLanes];
  hn::Store(sum, d, lanes);
  double total = 0;
  for (int64_t j = 0; j < kLanes; ++j) total += lanes[j];
  return total;
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
