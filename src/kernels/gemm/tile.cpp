#include "kernels/gemm/tile.h"

#include <algorithm>

#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm/tile.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway.
#include "kernels/simd/tile_end.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3
constexpr int kRegisters = 32;
constexpr int kRows = 14;
#elif HWY_TARGET == HWY_AVX2
constexpr int kRegisters = 16;
constexpr int kRows = 6;
#else
constexpr int kRegisters = 16;
constexpr int kRows = 4;
#endif

/// Terms that are taken together.
constexpr int64_t kUnroll = 4;

/// Registers that a tile needs: its sums, one row operand, and the column operands, which a tile of one row
/// takes straight from memory.
constexpr int RegistersOf(int rows, int vectors) {
  return rows * vectors + 1 + (rows > 1 ? vectors : 0);
}

template <int kTileRows, int kVectors>
HWY_NOINLINE void Tile(const TileArgs& args) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int64_t kLanes = HWY_MAX_BYTES / sizeof(float);
  constexpr int64_t kWidth = kVectors * kLanes;
  const int64_t depth = args.depth;
  TileEnd end = args.end;
  Trickle next(args.next, args.b);
  RowTrickle next_rows(args.next_rows, args.b), out_rows(args.out_rows, args.b);
  for (int64_t tile = 0; tile < args.count; ++tile) {
    V sums[kTileRows][kVectors];
#pragma clang loop unroll(full)
    for (int r = 0; r < kTileRows; ++r) {
#pragma clang loop unroll(full)
      for (int v = 0; v < kVectors; ++v)
        sums[r][v] = args.row_bias != nullptr      ? hn::Set(d, args.row_bias[r])
                     : args.column_bias != nullptr ? hn::LoadU(d, args.column_bias + v * kLanes)
                                                   : hn::Zero(d);
    }
    const float* HWY_RESTRICT a = args.a + tile * args.a_step;
    const auto step = [&](const float* HWY_RESTRICT x, const float* HWY_RESTRICT b) HWY_ATTR {
      V columns[kVectors];
#pragma clang loop unroll(full)
      for (int v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(d, b + v * kLanes);
#pragma clang loop unroll(full)
      for (int r = 0; r < kTileRows; ++r) {
        const V row = hn::Set(d, x[r * kTermBlock]);
#pragma clang loop unroll(full)
        for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(row, columns[v], sums[r][v]);
      }
    };
    const float* b = args.b;
    int64_t k = 0;
    if (args.b_offsets == nullptr && args.b_stride == kWidth) {
      for (; k + kTermBlock <= depth; k += kTermBlock, a += kTileRows * kTermBlock) {
        for (int64_t i = 0; i < kTermBlock; i += kUnroll, b += kUnroll * kWidth) {
#pragma clang loop unroll(full)
          for (int64_t u = 0; u < kUnroll; ++u) step(a + i + u, b + u * kWidth);
          next.Fetch();
          // A row of kSumBlock floats in a block of terms.
          constexpr int64_t kShare = kSumBlock / kTermBlock;
          __builtin_prefetch(next_rows.At() + i * kShare, 0, 2);
          __builtin_prefetch(next_rows.At() + i * kShare + kLineFloats, 0, 2);
          __builtin_prefetch(out_rows.At(), 1, 3);
          if constexpr (kWidth > kLineFloats) __builtin_prefetch(out_rows.At() + kLineFloats, 1, 3);
          out_rows.Advance();
        }
        next_rows.Advance();
      }
    }
    for (; k < depth; a += kTileRows * kTermBlock) {
      const int64_t last = std::min(k + kTermBlock, depth);
      if (args.b_offsets != nullptr) {
        for (const float* x = a; k < last; ++k, ++x) step(x, b + args.b_offsets[k]);
      } else {
        for (const float* x = a; k < last; ++k, ++x, b += args.b_stride) step(x, b);
      }
    }
    Leave(end, sums);
    out_rows.MoveTo((tile + 1) * kTileRows);
    Advance<kTileRows, kVectors>(end, args.to_step);
  }
}

template <int kTileRows, int kVectors>
constexpr TileFunction Pick() {
  if constexpr (kTileRows <= kRows && RegistersOf(kTileRows, kVectors) <= kRegisters)
    return &Tile<kTileRows, kVectors>;
  else
    return nullptr;
}

#define TENON_TILE_ROW(r) {Pick<r, 1>(), Pick<r, 2>(), Pick<r, 4>(), Pick<r, 8>()}
const TileSet kTileSet = {
    HWY_MAX_BYTES / sizeof(float),
    kRows,
    {TENON_TILE_ROW(1), TENON_TILE_ROW(2), TENON_TILE_ROW(3), TENON_TILE_ROW(4), TENON_TILE_ROW(5),
     TENON_TILE_ROW(6), TENON_TILE_ROW(7), TENON_TILE_ROW(8), TENON_TILE_ROW(9), TENON_TILE_ROW(10),
     TENON_TILE_ROW(11), TENON_TILE_ROW(12), TENON_TILE_ROW(13), TENON_TILE_ROW(14)}};
#undef TENON_TILE_ROW

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

const TileSet& tile_set(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kTileSet);
}

void run_tile(TileFunction function, const TileArgs& args, int rows, int64_t columns) {
  if (args.depth <= kSumBlock) return function(args);
  alignas(64) float block[kMaxTileFloats + kMaxTileColumns];
  TileArgs part = args;
  for (int64_t k = 0; k < args.depth; k += kSumBlock) {
    part.a = args.a + k * rows;
    if (args.b_offsets != nullptr)
      part.b_offsets = args.b_offsets + k;
    else
      part.b = args.b + k * args.b_stride;
    part.depth = std::min(kSumBlock, args.depth - k);
    part.end = k + kSumBlock >= args.depth ? args.end : TileEnd{.to = block, .stride = columns};
    part.end.partial = k > 0 ? block : nullptr;
    function(part);
    part.row_bias = part.column_bias = nullptr;
  }
}

}  // namespace tenon::kernels
#endif
