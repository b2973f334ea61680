#include "kernels/lines/reduce.h"

#include <algorithm>
#include <cmath>

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lines/reduce.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/partial.h"
#include "kernels/simd/sum.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
/// Vectors that are joined side by side.
constexpr int64_t kSide = 4;

constexpr bool IsSum(Reduction reduction) {
  return reduction != Reduction::kMax && reduction != Reduction::kMin;
}

/// One more vector of values.
template <Reduction kReduction>
HWY_INLINE V Step(V result, V x) {
  if constexpr (kReduction == Reduction::kSum) return hn::Add(result, x);
  if constexpr (kReduction == Reduction::kAbsoluteSum) return hn::Add(result, hn::Abs(x));
  if constexpr (kReduction == Reduction::kSquareSum) return hn::MulAdd(x, x, result);
  const auto is_beyond = kReduction == Reduction::kMax ? hn::Gt(x, result) : hn::Lt(x, result);
  return hn::IfThenElse(hn::Or(is_beyond, hn::IsNaN(x)), x, result);
}

/// Two results in one.
template <Reduction kReduction>
double Join(double a, double b) {
  if constexpr (IsSum(kReduction)) return a + b;
  if (std::isnan(a) || std::isnan(b)) return a + b;
  return kReduction == Reduction::kMax ? std::max(a, b) : std::min(a, b);
}

template <Reduction kReduction>
HWY_INLINE double JoinLanes(V v, double result) {
  const D d;
  if constexpr (IsSum(kReduction)) return result + SumInDouble(d, v);
  HWY_ALIGN float lanes[kLanes];
  hn::Store(v, d, lanes);
  for (float lane : lanes) result = Join<kReduction>(result, double{lane});
  return result;
}

template <Reduction kReduction>
HWY_NOINLINE double Line(const float* in, int64_t count, double result) {
  const D d;
  const auto start = [&] { return IsSum(kReduction) ? hn::Zero(d) : hn::Set(d, in[0]); };
  if (count == 0) return result;
  while (count > 0) {
    const int64_t part = std::min(count, kReduceBlock * kSide * kLanes);
    V sides[kSide] = {start(), start(), start(), start()};
    int64_t i = 0;
    for (; i + kSide * kLanes <= part; i += kSide * kLanes) {
#pragma clang loop unroll(full)
      for (int64_t s = 0; s < kSide; ++s)
        sides[s] = Step<kReduction>(sides[s], hn::LoadU(d, in + i + s * kLanes));
    }
    for (; i + kLanes <= part; i += kLanes) sides[0] = Step<kReduction>(sides[0], hn::LoadU(d, in + i));
    if (i < part)
      sides[1] = Step<kReduction>(sides[1], LoadFirst(d, in + i, part - i, IsSum(kReduction) ? 0 : in[0]));
#pragma clang loop unroll(full)
    for (int64_t s = 0; s < kSide; ++s) result = JoinLanes<kReduction>(sides[s], result);
    in += part;
    count -= part;
  }
  return result;
}

template <Reduction kReduction>
HWY_NOINLINE void Rows(const float* in, const int64_t* offsets, int64_t rows, int64_t count, double* sums) {
  const D d;
  HWY_ALIGN float results[kSide * kLanes];
  for (int64_t i = 0; i < count; i += kSide * kLanes) {
    const int64_t width = std::min(kSide * kLanes, count - i);
    V sides[kSide];
    const auto join = [&](int64_t k, const auto& load) HWY_ATTR {
#pragma clang loop unroll(full)
      for (int64_t s = 0; s < kSide; ++s) {
        const V x = load(in + offsets[k] + i + s * kLanes, s);
        if (k > 0 || IsSum(kReduction))
          sides[s] = Step<kReduction>(sides[s], x);
        else
          sides[s] = x;
      }
    };
#pragma clang loop unroll(full)
    for (int64_t s = 0; s < kSide; ++s) sides[s] = hn::Zero(d);
    if (width == kSide * kLanes) {
      for (int64_t k = 0; k < rows; ++k)
        join(k, [&](const float* from, int64_t) HWY_ATTR { return hn::LoadU(d, from); });
    } else {
      for (int64_t k = 0; k < rows; ++k)
        join(k, [&](const float* from, int64_t s) HWY_ATTR {
          const int64_t left = width - s * kLanes;
          if (left <= 0) return hn::Zero(d);
          return left >= kLanes ? hn::LoadU(d, from) : LoadFirst(d, from, left);
        });
    }
#pragma clang loop unroll(full)
    for (int64_t s = 0; s < kSide; ++s) hn::Store(sides[s], d, results + s * kLanes);
    for (int64_t j = 0; j < width && rows > 0; ++j)
      sums[i + j] = Join<kReduction>(sums[i + j], double{results[j]});
  }
}

#define TENON_REDUCE(reduction) {&Line<reduction>, &Rows<reduction>}
struct AllFunctions {
  ReduceFunctions of[5];
};
const AllFunctions kAllFunctions = {{TENON_REDUCE(Reduction::kSum), TENON_REDUCE(Reduction::kAbsoluteSum),
                                     TENON_REDUCE(Reduction::kSquareSum), TENON_REDUCE(Reduction::kMax),
                                     TENON_REDUCE(Reduction::kMin)}};
#undef TENON_REDUCE

const ReduceFunctions* Functions(Reduction reduction) {
  return &kAllFunctions.of[static_cast<size_t>(reduction)];
}
constexpr auto kFunctionsOf = &Functions;

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

namespace {

using FunctionsOf = const ReduceFunctions* (*)(Reduction);
FunctionsOf functions_of(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kFunctionsOf);
}

}  // namespace

const ReduceFunctions& reduce_functions(Reduction reduction, Isa isa) {
  return *functions_of(isa)(reduction);
}

}  // namespace tenon::kernels
#endif
