#include "kernels/conv/depthwise_tile.h"

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/depthwise_tile.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/tile_end.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);

/// The end of the tile for pixels from `first` on.
template <int kPixels>
HWY_INLINE void LeaveFrom(const DepthwiseArgs& args, int64_t first, V (&sums)[1][kPixels]) {
  TileEnd end = args.end;
  end.to += first * kLanes;
  if (end.operand != nullptr) end.operand += first * kLanes;
  Leave(end, sums);
}

template <int kPixels>
HWY_INLINE void AnyPart(const DepthwiseArgs& args, int64_t first) {
  const D d;
  V sums[1][kPixels];
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) sums[0][p] = hn::LoadU(d, args.start);
  for (int64_t y = 0; y < args.rows; ++y) {
    const float* weights = args.weights + y * args.weights_row;
    const float* input = args.input + y * args.input_row + first * args.distance;
    for (int64_t x = 0; x < args.columns; ++x, weights += kLanes, input += args.tap) {
      const V weight = hn::LoadU(d, weights);
#pragma clang loop unroll(full)
      for (int p = 0; p < kPixels; ++p)
        sums[0][p] = hn::MulAdd(hn::LoadU(d, input + p * args.distance), weight, sums[0][p]);
    }
  }
  LeaveFrom(args, first, sums);
}

/// Each vector of the input is loaded once, for all of the sums that it has a part in.
template <int kPixels, int kColumns, int kStride>
HWY_INLINE void NearPart(const DepthwiseArgs& args, int64_t first) {
  const D d;
  V sums[1][kPixels];
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) sums[0][p] = hn::LoadU(d, args.start);
  for (int64_t y = 0; y < args.rows; ++y) {
    const float* input = args.input + y * args.input_row + first * kStride * kLanes;
    V weights[kColumns];
#pragma clang loop unroll(full)
    for (int x = 0; x < kColumns; ++x)
      weights[x] = hn::LoadU(d, args.weights + y * args.weights_row + x * kLanes);
#pragma clang loop unroll(full)
    for (int i = 0; i < (kPixels - 1) * kStride + kColumns; ++i) {
      const V value = hn::LoadU(d, input + i * kLanes);
      // Taps in ascending order for each sum, since i ascends.
#pragma clang loop unroll(full)
      for (int x = 0; x < kColumns; ++x) {
        const int p = (i - x) / kStride;
        if (i >= x && (i - x) % kStride == 0 && p < kPixels)
          sums[0][p] = hn::MulAdd(value, weights[x], sums[0][p]);
      }
    }
  }
  LeaveFrom(args, first, sums);
}

HWY_NOINLINE void Any(const DepthwiseArgs& args) {
  int64_t p = 0;
  for (; p + 8 <= args.pixels; p += 8) AnyPart<8>(args, p);
  if (p + 4 <= args.pixels) {
    AnyPart<4>(args, p);
    p += 4;
  }
  for (; p < args.pixels; ++p) AnyPart<1>(args, p);
}

// Sums, a row of weights and an input vector fit the registers.
#if HWY_TARGET == HWY_AVX3
constexpr int kNearPixels = 12;
#else
constexpr int kNearPixels = 6;
#endif

template <int kColumns, int kStride>
HWY_NOINLINE void Near(const DepthwiseArgs& args) {
  int64_t p = 0;
  for (; p + kNearPixels <= args.pixels; p += kNearPixels) NearPart<kNearPixels, kColumns, kStride>(args, p);
  if constexpr (kNearPixels > 6) {
    if (p + 6 <= args.pixels) {
      NearPart<6, kColumns, kStride>(args, p);
      p += 6;
    }
  }
  if (p + 3 <= args.pixels) {
    NearPart<3, kColumns, kStride>(args, p);
    p += 3;
  }
  for (; p < args.pixels; ++p) NearPart<1, kColumns, kStride>(args, p);
}

const DepthwiseTiles kDepthwiseTiles = {
    &Any, {{&Near<3, 1>, &Near<3, 2>}, {&Near<5, 1>, &Near<5, 2>}, {&Near<7, 1>, &Near<7, 2>}}};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const DepthwiseTiles& depthwise_tiles(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kDepthwiseTiles);
}

}  // namespace tenon::kernels
#endif
