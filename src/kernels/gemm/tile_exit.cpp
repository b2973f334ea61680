#include "kernels/gemm/tile_exit.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm/tile_exit.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/partial.h"
#include "kernels/simd/tile_end.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);

/// Calls whole(offset) for each whole vector, and rest(offset, count) for what is left.
template <class Whole, class Rest>
HWY_INLINE void ForVectors(int64_t count, const Whole& whole, const Rest& rest) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) whole(i);
  if (i < count) rest(i, count - i);
}

/// ForVectors() for a segment of a tile: whole(offset in the tile, offset in the output), and rest() with a
/// count after them.
template <class Whole, class Rest>
HWY_INLINE void ForSegment(const TileExit& exit, const Segment& segment, const Whole& whole,
                           const Rest& rest) {
  const int64_t count = segment.count;
  if (exit.step == 1) {
    ForVectors(
        count, [&](int64_t i) HWY_ATTR { whole(i, i); },
        [&](int64_t i, int64_t left) HWY_ATTR { rest(i, i, left); });
  } else if (exit.group == kLanes) {
    for (int64_t i = 0; i < count; i += kLanes) whole(i, i * exit.step);
  } else {
    for (int64_t i = 0; i < count; ++i) rest(i, i * exit.step, 1);
  }
}

/// Combines the tile with an operand in place.
template <bool kMultiply>
HWY_NOINLINE void Combine(const TileExit& exit, const float* operand) {
  const D d;
  const auto combine = [](V a, V b) HWY_ATTR { return kMultiply ? hn::Mul(a, b) : hn::Add(a, b); };
  for (int r = 0; r < exit.rows; ++r) {
    for (int s = 0; s < exit.segment_count; ++s) {
      const Segment& segment = exit.segments[s];
      float* tile = exit.tile + r * exit.tile_columns + segment.column;
      const float* other = operand + r * exit.out_stride + segment.out;
      ForSegment(
          exit, segment,
          [&](int64_t i, int64_t o)
              HWY_ATTR { hn::StoreU(combine(hn::LoadU(d, tile + i), hn::LoadU(d, other + o)), d, tile + i); },
          [&](int64_t i, int64_t o, int64_t left) HWY_ATTR {
            StoreFirst(combine(LoadFirst(d, tile + i, left), LoadFirst(d, other + o, left)), d, tile + i,
                       left);
          });
    }
  }
}

template <bool kAdd>
HWY_NOINLINE void CopyOut(const TileExit& exit, const float* operand, float low, float high) {
  const D d;
  const V vlow = hn::Set(d, low);
  const V vhigh = hn::Set(d, high);
  for (int r = 0; r < exit.rows; ++r) {
    for (int s = 0; s < exit.segment_count; ++s) {
      const Segment& segment = exit.segments[s];
      const float* tile = exit.tile + r * exit.tile_columns + segment.column;
      float* out = exit.out + r * exit.out_stride + segment.out;
      const float* other = kAdd ? operand + r * exit.out_stride + segment.out : nullptr;
      ForSegment(
          exit, segment,
          [&](int64_t i, int64_t o) HWY_ATTR {
            V v = hn::LoadU(d, tile + i);
            if constexpr (kAdd) v = hn::Add(v, hn::LoadU(d, other + o));
            hn::StoreU(ClampKeepingNan(v, vlow, vhigh), d, out + o);
          },
          [&](int64_t i, int64_t o, int64_t left) HWY_ATTR {
            V v = LoadFirst(d, tile + i, left);
            if constexpr (kAdd) v = hn::Add(v, LoadFirst(d, other + o, left));
            StoreFirst(ClampKeepingNan(v, vlow, vhigh), d, out + o, left);
          });
    }
  }
}

const ExitFunctions kFunctions = {&Combine<false>, &Combine<true>, &CopyOut<false>, &CopyOut<true>};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const ExitFunctions& exit_functions(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kFunctions);
}

}  // namespace tenon::kernels
#endif
