#include "kernels/conv/blocked_tile.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/blocked_tile.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

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

template <int kPixels, int kBlocks, bool kPlanar>
HWY_NOINLINE void Tile(const BlockedTileArgs& args) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int64_t kDistance = kPlanar ? 1 : kLanes;
  V sums[kBlocks][kPixels];
#pragma clang loop unroll(full)
  for (int b = 0; b < kBlocks; ++b) {
    const V start = args.bias != nullptr ? hn::LoadU(d, args.bias + b * kLanes) : hn::Zero(d);
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels; ++p) sums[b][p] = start;
  }
  const float* HWY_RESTRICT w = args.weights;
  const int64_t inner = args.inner;
  for (int64_t s = 0; s < args.steps; ++s) {
    const float* HWY_RESTRICT x = args.input + args.offsets[s];
    for (int64_t i = 0; i < inner; ++i, w += kBlocks * kLanes) {
      V weights[kBlocks];
#pragma clang loop unroll(full)
      for (int b = 0; b < kBlocks; ++b) weights[b] = hn::LoadU(d, w + b * kLanes);
#pragma clang loop unroll(full)
      for (int p = 0; p < kPixels; ++p) {
        const V pixel = hn::Set(d, x[i + p * kDistance]);
#pragma clang loop unroll(full)
        for (int b = 0; b < kBlocks; ++b) sums[b][p] = hn::MulAdd(pixel, weights[b], sums[b][p]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int b = 0; b < kBlocks; ++b) {
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels; ++p) {
      float* to = args.sums + (b * kPixels + p) * kLanes;
      hn::StoreU(args.add ? hn::Add(hn::LoadU(d, to), sums[b][p]) : sums[b][p], d, to);
    }
  }
}

template <int kPixels, int kBlocks, bool kPlanar>
constexpr BlockedTile Pick() {
  if constexpr (kPixels <= kPixelsMax)
    return &Tile<kPixels, kBlocks, kPlanar>;
  else
    return nullptr;
}

#define TENON_TILES(planar, p) {Pick<p, 1, planar>(), Pick<p, 2, planar>()}
#define TENON_ALL_TILES(planar)                                                                        \
  {TENON_TILES(planar, 1),  TENON_TILES(planar, 2),  TENON_TILES(planar, 3),  TENON_TILES(planar, 4),  \
   TENON_TILES(planar, 5),  TENON_TILES(planar, 6),  TENON_TILES(planar, 7),  TENON_TILES(planar, 8),  \
   TENON_TILES(planar, 9),  TENON_TILES(planar, 10), TENON_TILES(planar, 11), TENON_TILES(planar, 12), \
   TENON_TILES(planar, 13), TENON_TILES(planar, 14)}
const BlockedTileSet kBlockedTiles = {kLanes, kPixelsMax, TENON_ALL_TILES(false), TENON_ALL_TILES(true)};
#undef TENON_ALL_TILES
#undef TENON_TILES

template <int kPixels>
HWY_INLINE void DepthwisePart(const DepthwiseArgs& args, int64_t first) {
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> sums[kPixels];
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) sums[p] = hn::LoadU(d, args.bias);
  for (int64_t s = 0; s < args.steps; ++s) {
    const auto weight = hn::LoadU(d, args.weights + s * kLanes);
    const float* x = args.input + args.offsets[s] + first * kLanes;
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels; ++p) sums[p] = hn::MulAdd(hn::LoadU(d, x + p * kLanes), weight, sums[p]);
  }
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) hn::StoreU(sums[p], d, args.sums + (first + p) * kLanes);
}

HWY_NOINLINE void Depthwise(const DepthwiseArgs& args) {
  int64_t p = 0;
  for (; p + 8 <= args.pixels; p += 8) DepthwisePart<8>(args, p);
  if (p + 4 <= args.pixels) {
    DepthwisePart<4>(args, p);
    p += 4;
  }
  for (; p < args.pixels; ++p) DepthwisePart<1>(args, p);
}

const DepthwiseTile kDepthwise = &Depthwise;

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const BlockedTileSet& blocked_tile_set(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kBlockedTiles);
}

DepthwiseTile depthwise_tile(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kDepthwise);
}

}  // namespace tenon::kernels
#endif
