#include "kernels/conv/depthwise_tile.h"

#include "kernels/gemm/tile.h"
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

/// The sums of pixels from output `first` on leave the tile.
template <int kPixels>
HWY_INLINE void LeaveFrom(const DepthwiseArgs& args, int64_t first, V (&sums)[1][kPixels]) {
  TileEnd end = args.end;
  end.to += first * kLanes;
  if (end.operand != nullptr) end.operand += first * kLanes;
  Leave(end, sums);
}

/// An input vector, or the lanes of it that are input `i` of the groups.
template <bool kGrouped>
HWY_INLINE V LoadInput(const DepthwiseArgs& args, const float* from, int64_t i) {
  const D d;
  const V value = hn::LoadU(d, from);
  if constexpr (kGrouped) return hn::TableLookupLanes(value, hn::SetTableIndices(d, args.lanes + i * kLanes));
  return value;
}

/// Pixels from `x` on of a row whose taps begin at `row`; `taps` of the columns. `first`: where the row's
/// outputs begin.
template <int kPixels, bool kGrouped>
HWY_INLINE void AnyPart(const DepthwiseArgs& args, const float* row, int64_t first, int64_t x,
                        DepthwiseColumns taps) {
  const D d;
  V sums[1][kPixels];
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) sums[0][p] = hn::LoadU(d, args.start);
  const int64_t at = x * args.distance + taps.first * args.tap - args.left;
  for (int64_t y = 0; y < args.tap_rows; ++y) {
    for (int64_t i = 0; i < (kGrouped ? args.inputs : 1); ++i) {
      const float* weights = args.weights + y * args.weights_row + (i * args.columns + taps.first) * kLanes;
      const float* input = row + y * args.input_row + at;
      for (int64_t c = taps.first; c < taps.last; ++c, weights += kLanes, input += args.tap) {
        const V weight = hn::LoadU(d, weights);
#pragma clang loop unroll(full)
        for (int p = 0; p < kPixels; ++p)
          sums[0][p] =
              hn::MulAdd(LoadInput<kGrouped>(args, input + p * args.distance, i), weight, sums[0][p]);
      }
    }
  }
  LeaveFrom(args, first + x, sums);
}

template <bool kGrouped>
HWY_INLINE void AnySpan(const DepthwiseArgs& args, const float* row, int64_t first) {
  const DepthwiseColumns taps{0, args.columns};
  int64_t x = args.inner_first;
  for (; x + 8 <= args.inner_last; x += 8) AnyPart<8, kGrouped>(args, row, first, x, taps);
  for (; x + 4 <= args.inner_last; x += 4) AnyPart<4, kGrouped>(args, row, first, x, taps);
  for (; x < args.inner_last; ++x) AnyPart<1, kGrouped>(args, row, first, x, taps);
}

template <bool kGrouped>
HWY_NOINLINE void Any(const DepthwiseArgs& args) {
  const float* row = args.input;
  for (int64_t first = 0; first < args.rows * args.width; first += args.width, row += args.next_row) {
    for (int64_t x = 0; x < args.inner_first; ++x) AnyPart<1, kGrouped>(args, row, first, x, args.border[x]);
    AnySpan<kGrouped>(args, row, first);
    for (int64_t x = args.inner_last; x < args.width; ++x)
      AnyPart<1, kGrouped>(args, row, first, x, args.border[x]);
  }
}

alignas(64) constexpr float kZeros[kLanes] = {};

/// Pixels from `x` on. Each vector of the input is loaded once, for all of the sums that it has a part in.
/// The first `before` and the last `after` vectors lie outside of the input and are zeros.
template <int kPixels, int kColumns, int kStride, bool kGrouped>
HWY_NOINLINE void NearPart(const DepthwiseArgs& args, const float* row, int64_t first, int64_t x,
                           int64_t before, int64_t after) {
  const D d;
  constexpr int kVectors = (kPixels - 1) * kStride + kColumns;
  V sums[1][kPixels];
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) sums[0][p] = hn::LoadU(d, args.start);
  const float* input = row + x * kStride * kLanes - args.left;
  for (int64_t y = 0; y < args.tap_rows; ++y, input += args.input_row) {
    const float* taps = args.weights + y * args.weights_row;
    for (int64_t j = 0; j < (kGrouped ? args.inputs : 1); ++j, taps += kColumns * kLanes) {
      V weights[kColumns];
#pragma clang loop unroll(full)
      for (int c = 0; c < kColumns; ++c) weights[c] = hn::LoadU(d, taps + c * kLanes);
#pragma clang loop unroll(full)
      for (int i = 0; i < kVectors; ++i) {
        const float* from = input + i * kLanes;
        if (i < kColumns - 1) from = i < before ? kZeros : from;
        if (i > kVectors - kColumns) from = i >= kVectors - after ? kZeros : from;
        const V value = LoadInput<kGrouped>(args, from, j);
        // Taps in ascending order for each sum, since i ascends.
#pragma clang loop unroll(full)
        for (int c = 0; c < kColumns; ++c) {
          const int p = (i - c) / kStride;
          if (i >= c && (i - c) % kStride == 0 && p < kPixels)
            sums[0][p] = hn::MulAdd(value, weights[c], sums[0][p]);
        }
      }
    }
  }
  LeaveFrom(args, first + x, sums);
}

// Sums, a row of weights and an input vector fit the registers.
#if HWY_TARGET == HWY_AVX3
constexpr int kNearPixels = 14;
#else
constexpr int kNearPixels = 6;
#endif

template <int kColumns, int kStride, bool kGrouped, int kPixels = kNearPixels>
HWY_INLINE void NearPartOf(int64_t pixels, const DepthwiseArgs& args, const float* row, int64_t first,
                           int64_t x, int64_t before, int64_t after) {
  if (pixels == kPixels)
    return NearPart<kPixels, kColumns, kStride, kGrouped>(args, row, first, x, before, after);
  if constexpr (kPixels > 1)
    NearPartOf<kColumns, kStride, kGrouped, kPixels - 1>(pixels, args, row, first, x, before, after);
}

template <int kColumns, int kStride, bool kGrouped = false>
HWY_NOINLINE void Near(const DepthwiseArgs& args) {
  const RowTiles parts(args.width, kNearPixels);
  const float* row = args.input;
  for (int64_t first = 0; first < args.rows * args.width; first += args.width, row += args.next_row) {
    for (int64_t t = 0; t < parts.tiles; ++t)
      NearPartOf<kColumns, kStride, kGrouped>(parts.rows(t), args, row, first, parts.begin(t),
                                              t == 0 ? args.before : 0,
                                              t + 1 == parts.tiles ? args.after : 0);
  }
}

const DepthwiseTiles kDepthwiseTiles = {
    &Any<false>,
    &Any<true>,
    {{&Near<3, 1>, &Near<3, 2>}, {&Near<5, 1>, &Near<5, 2>}, {&Near<7, 1>, &Near<7, 2>}},
    {&Near<3, 1, true>, &Near<3, 2, true>},
    kNearPixels};

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
