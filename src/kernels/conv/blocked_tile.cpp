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

/// Pixels are kDistance floats apart; 0: as the arguments say.
template <int kPixels, int kBlocks, int64_t kDistance>
HWY_NOINLINE void Tile(const BlockedTileArgs& args) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const int64_t distance = kDistance != 0 ? kDistance : args.distance;
  V sums[kBlocks][kPixels];
#pragma clang loop unroll(full)
  for (int b = 0; b < kBlocks; ++b) {
    const V start = args.start != nullptr ? hn::LoadU(d, args.start + b * kLanes) : hn::Zero(d);
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
        const V pixel = hn::Set(d, x[i + p * distance]);
#pragma clang loop unroll(full)
        for (int b = 0; b < kBlocks; ++b) sums[b][p] = hn::MulAdd(pixel, weights[b], sums[b][p]);
      }
    }
  }
  Leave(args.end, sums);
}

template <int kPixels, int kBlocks, int64_t kDistance>
constexpr BlockedTile Pick() {
  if constexpr (kPixels <= kPixelsMax)
    return &Tile<kPixels, kBlocks, kDistance>;
  else
    return nullptr;
}

#define TENON_TILES(distance, p) {Pick<p, 1, distance>(), Pick<p, 2, distance>()}
#define TENON_ALL_TILES(distance)                                                      \
  {                                                                                    \
      TENON_TILES(distance, 1),  TENON_TILES(distance, 2),  TENON_TILES(distance, 3),  \
      TENON_TILES(distance, 4),  TENON_TILES(distance, 5),  TENON_TILES(distance, 6),  \
      TENON_TILES(distance, 7),  TENON_TILES(distance, 8),  TENON_TILES(distance, 9),  \
      TENON_TILES(distance, 10), TENON_TILES(distance, 11), TENON_TILES(distance, 12), \
      TENON_TILES(distance, 13), TENON_TILES(distance, 14)}
const BlockedTileSet kBlockedTiles = {kLanes, kPixelsMax, TENON_ALL_TILES(kLanes), TENON_ALL_TILES(0)};
#undef TENON_ALL_TILES
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
