#include "kernels/conv/blocked_tile.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/blocked_tile.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/tile_end.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sums, the weights of one step and one pixel fit the registers.
#if HWY_TARGET == HWY_AVX3
constexpr int kPixelsMax = 14;
#elif HWY_TARGET == HWY_AVX2
constexpr int kPixelsMax = 6;
#else
constexpr int kPixelsMax = 4;
#endif
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);

/// Numbers of a step that are taken together, where their count is known.
constexpr int64_t UnrollOf(int64_t inner) {
  return inner % 4 == 0 ? 4 : inner;
}

/// sum += a * b, in this form: one that puts the sum into the place of a factor leads the compiler to more
/// registers than there are where tiles have sums of two sizes.
template <class V>
HWY_INLINE void AddProduct(V a, V b, V& sum) {
#if HWY_TARGET == HWY_AVX3
  asm("vfmadd231ps %1, %2, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
#else
  sum = hn::MulAdd(a, b, sum);
#endif
}

/// Pixels are kDistance floats apart, and a step has kInner numbers; 0: as the arguments say. kHalf: only the
/// first half of the last block's lanes have sums.
template <int kPixels, int kBlocks, int64_t kDistance, int64_t kInner, bool kHalf = false>
HWY_NOINLINE void Tile(const BlockedTileArgs& args) {
  const hn::ScalableTag<float> d;
  const hn::Half<decltype(d)> half;
  using V = hn::Vec<decltype(d)>;
  constexpr int kWhole = kHalf ? kBlocks - 1 : kBlocks;
  const int64_t distance = kDistance != 0 ? kDistance : args.distance;
  TileEnd end = args.end;
  const float* input = args.input;
  Trickle next(args.next, args.weights);
  RowTrickle out({args.out.from, args.out_line, args.out.floats / args.out_line}, args.end.to);
  const int64_t out_stride = args.out_stride;
  for (int64_t tile = 0; tile < args.count; ++tile, input += args.input_step) {
    V sums[kBlocks][kPixels];
    hn::Vec<decltype(half)> halves[kPixels];
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels && kHalf; ++p)
      halves[p] = args.start != nullptr ? hn::LoadU(half, args.start + kWhole * kLanes) : hn::Zero(half);
#pragma clang loop unroll(full)
    for (int b = 0; b < kWhole; ++b) {
      const V start = args.start != nullptr ? hn::LoadU(d, args.start + b * kLanes) : hn::Zero(d);
#pragma clang loop unroll(full)
      for (int p = 0; p < kPixels; ++p) sums[b][p] = start;
    }
    const float* HWY_RESTRICT w = args.weights;
    const auto add = [&](const float* HWY_RESTRICT x) __attribute__((always_inline)) HWY_ATTR {
      // Pixels share numbers where kDistance < kInner. They are read again: there are no registers left.
      if constexpr (kDistance != 0 && kDistance < kInner) asm("" : "+r"(x));
      V weights[kBlocks];
#pragma clang loop unroll(full)
      for (int b = 0; b < kWhole; ++b) weights[b] = hn::LoadU(d, w + b * kLanes);
      const auto last = hn::LoadU(half, w + (kBlocks - 1) * kLanes);
#pragma clang loop unroll(full)
      for (int p = 0; p < kPixels; ++p) {
        V pixel = hn::Set(d, x[p * distance]);
        if constexpr (kHalf) {
#if HWY_TARGET == HWY_AVX3
          asm("" : "+v"(pixel.raw));  // one broadcast for both sizes
#endif
          AddProduct(last, hn::LowerHalf(half, pixel), halves[p]);
        }
#pragma clang loop unroll(full)
        for (int b = 0; b < kWhole; ++b) {
          if constexpr (kHalf)
            AddProduct(weights[b], pixel, sums[b][p]);
          else
            sums[b][p] = hn::MulAdd(pixel, weights[b], sums[b][p]);
        }
      }
      w += kBlocks * kLanes;
    };
    const int32_t* HWY_RESTRICT offsets = args.offsets;
    const int32_t* const last = offsets + args.steps;
    for (; offsets != last; ++offsets) {
      const float* HWY_RESTRICT x = input + *offsets;
      if constexpr (kInner != 0) {
        constexpr int64_t kUnroll = UnrollOf(kInner);
        for (int64_t i = 0; i < kInner; i += kUnroll, x += kUnroll) {
#pragma clang loop unroll(full)
          for (int64_t u = 0; u < kUnroll; ++u) add(x + u);
          next.Fetch();
          __builtin_prefetch(out.At(), 1, 3);
          if constexpr (kBlocks > 1) __builtin_prefetch(out.At() + out_stride, 1, 3);
          out.Advance();
        }
      } else {
        for (int64_t i = 0; i < args.inner; ++i) add(x + i);
      }
    }
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels && kHalf; ++p) sums[kBlocks - 1][p] = hn::ZeroExtendVector(d, halves[p]);
    Leave(end, sums);
    Advance<kBlocks, kPixels>(end, args.to_step);
  }
}

template <int kPixels, int kBlocks, int64_t kDistance, int64_t kInner>
constexpr BlockedTile Pick() {
  if constexpr (kPixels <= kPixelsMax)
    return &Tile<kPixels, kBlocks, kDistance, kInner>;
  else
    return nullptr;
}

/// Registers of half the size take half the time where larger ones are worked off in two parts.
template <int kPixels, int kBlocks>
constexpr BlockedTile PickHalf() {
#if HWY_TARGET == HWY_AVX3
  return &Tile<kPixels, kBlocks, kLanes, kLanes, true>;
#else
  return nullptr;
#endif
}

HWY_NOINLINE void Copy(const float* input, const int32_t* offsets, int64_t steps, int64_t pixels,
                       int64_t distance, float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> d;
  for (int64_t s = 0; s < steps; ++s) {
    const float* from = input + offsets[s];
    for (int64_t p = 0; p < pixels; ++p, to += kLanes) hn::StoreU(hn::LoadU(d, from + p * distance), d, to);
  }
}

HWY_NOINLINE void Map(const BlockedMapArgs& args) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const V low = hn::Set(d, args.low), high = hn::Set(d, args.high);
  float* HWY_RESTRICT to = args.to;
  for (int64_t s = 0; s < args.steps; ++s) {
    const float* from = args.planes[s] + args.at;
    const V scale = args.scale != nullptr ? hn::LoadU(d, args.scale + s * kLanes) : hn::Set(d, 1.0f);
    if (args.shift != nullptr) {
      const V shift = hn::LoadU(d, args.shift + s * kLanes);
      for (int64_t p = 0; p < args.pixels; ++p, to += kLanes)
        hn::StoreU(
            ClampKeepingNan(hn::MulAdd(hn::LoadU(d, from + p * args.distance), scale, shift), low, high), d,
            to);
    } else {
      for (int64_t p = 0; p < args.pixels; ++p, to += kLanes)
        hn::StoreU(ClampKeepingNan(hn::Mul(hn::LoadU(d, from + p * args.distance), scale), low, high), d, to);
    }
  }
}

#define TENON_TILES(distance, inner, p) {Pick<p, 1, distance, inner>(), Pick<p, 2, distance, inner>()}
#define TENON_KIND(distance, inner)                                                                          \
  {                                                                                                          \
    distance, inner, {                                                                                       \
      TENON_TILES(distance, inner, 1), TENON_TILES(distance, inner, 2), TENON_TILES(distance, inner, 3),     \
          TENON_TILES(distance, inner, 4), TENON_TILES(distance, inner, 5), TENON_TILES(distance, inner, 6), \
          TENON_TILES(distance, inner, 7), TENON_TILES(distance, inner, 8), TENON_TILES(distance, inner, 9), \
          TENON_TILES(distance, inner, 10), TENON_TILES(distance, inner, 11),                                \
          TENON_TILES(distance, inner, 12), TENON_TILES(distance, inner, 13),                                \
          TENON_TILES(distance, inner, 14)                                                                   \
    }                                                                                                        \
  }
#define TENON_HALVES(p) {PickHalf<p, 1>(), PickHalf<p, 2>()}
// Blocked inputs at stride 1 and 2; rows of the filters of first layers.
const BlockedTileSet kBlockedTiles = {
    kLanes,
    kPixelsMax,
    {TENON_KIND(kLanes, kLanes), TENON_KIND(2 * kLanes, kLanes), TENON_KIND(1, 3), TENON_KIND(2, 3),
     TENON_KIND(2, 7), TENON_KIND(0, 0)},
    &Copy,
    &Map,
    {TENON_HALVES(1), TENON_HALVES(2), TENON_HALVES(3), TENON_HALVES(4), TENON_HALVES(5), TENON_HALVES(6),
     TENON_HALVES(7), TENON_HALVES(8), TENON_HALVES(9), TENON_HALVES(10), TENON_HALVES(11), TENON_HALVES(12),
     TENON_HALVES(13), TENON_HALVES(14)}};
#undef TENON_HALVES
#undef TENON_KIND
#undef TENON_TILES

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const BlockedTileSet& blocked_tile_set(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kBlockedTiles);
}

}  // namespace tenon::kernels
#endif
