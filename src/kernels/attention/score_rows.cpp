#include "kernels/attention/score_rows.h"

#include <limits>

#include "kernels/gemm/tile.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention/score_rows.cpp"
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
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A row of scores, scaled and added to in place, -infinity beyond the last key; the greatest of them, or NaN
/// when one of them is.
float FinishScores(const ScoreRows& args, float* row, const float* first, const float* second) {
  const D d;
  const V scale = hn::Set(d, args.scale);
  V greatest = hn::Set(d, -kInfinity);
  auto unordered = hn::IsNaN(greatest);
  const auto take = [&](int64_t i, auto load) HWY_ATTR {
    V x = hn::LoadU(d, row + i);
    x = first != nullptr ? hn::MulAdd(x, scale, load(first + i)) : hn::Mul(x, scale);
    return second != nullptr ? hn::Add(x, load(second + i)) : x;
  };
  const auto keep = [&](int64_t i, V x) HWY_ATTR {
    hn::StoreU(x, d, row + i);
    greatest = hn::Max(greatest, x);
    unordered = hn::Or(unordered, hn::IsNaN(x));
  };
  int64_t i = 0;
  for (; i + kLanes <= args.keys; i += kLanes)
    keep(i, take(i, [&](const float* from) HWY_ATTR { return hn::LoadU(d, from); }));
  if (const int64_t left = args.keys - i; left > 0) {
    const V x = take(i, [&](const float* from) HWY_ATTR { return LoadFirst(d, from, left); });
    keep(i, hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(left)), x, hn::Set(d, -kInfinity)));
  }
  if (!hn::AllFalse(d, unordered)) return std::numeric_limits<float>::quiet_NaN();
  return hn::GetLane(hn::MaxOfLanes(d, greatest));
}

/// exp(x - most) in place, and one over their sum: where that is infinite all weights become NaN, as they are
/// when the greatest score is not finite.
float Exponentials(float* row, int64_t keys, float most) {
  const D d;
  const V greatest = hn::Set(d, most), least = hn::Set(d, kExpLeast);
  V sum = hn::Zero(d);
  for (int64_t i = 0; i < keys; i += kLanes) {
    const V x = hn::Sub(hn::LoadU(d, row + i), greatest);
    const V power = hn::IfThenElseZero(hn::Ge(x, least), NormalExponential(d, hn::Max(x, least)));
    hn::StoreU(power, d, row + i);
    sum = hn::Add(sum, power);
  }
  return 1 / hn::GetLane(hn::SumOfLanes(d, sum));
}

void Weigh(const ScoreRows& args) {
  const D d;
  // One kind of work for all rows after the other, so that no row waits for what a row is reduced to.
  float greatest[TileSet::kMaxRows], factors[TileSet::kMaxRows];
  for (int64_t r = 0; r < args.rows; ++r) {
    const auto added = [&](size_t n) {
      return args.added[n] != nullptr ? args.added[n] + r * args.added_row[n] : nullptr;
    };
    greatest[r] = FinishScores(args, args.scores + r * args.stride, added(0), added(1));
  }
  for (int64_t r = 0; r < args.rows; ++r) {
    for (const ScoreRows::Next& next : args.next)
      for (int64_t i = 0; i < next.floats; i += kTermBlock)
        __builtin_prefetch(next.first + r * next.stride + i, 0, 3);
    factors[r] = Exponentials(args.scores + r * args.stride, args.keys, greatest[r]);
  }
  float* HWY_RESTRICT to = args.weights;
  for (int64_t k = 0; k < args.keys; k += kTermBlock) {
    for (int64_t r = 0; r < args.rows; ++r, to += kTermBlock) {
      const float* from = args.scores + r * args.stride + k;
      const V factor = hn::Set(d, factors[r]);
      for (int64_t i = 0; i < kTermBlock && k + i < args.keys; i += kLanes)
        hn::StoreU(hn::Mul(hn::LoadU(d, from + i), factor), d, to + i);
    }
  }
}

constexpr WeighRows kWeighRows = &Weigh;

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

WeighRows weigh_rows(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kWeighRows);
}

}  // namespace tenon::kernels
#endif
