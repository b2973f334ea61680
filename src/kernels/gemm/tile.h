// The register tile: the innermost loop of every convolution and matrix product. A tile is `rows` times
// `vectors` vector registers of sums, kept in registers over kSumBlock terms, so that the bits of a sum
// depend on its depth alone, whatever the blocking and the number of threads.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/gemm/tile_end.h"

namespace tenon::kernels {

/// Terms of a row that lie side by side in a packed tile: [depth / kTermBlock][rows][kTermBlock]. The last
/// block of a depth that is no multiple has room for a whole one, and what is beyond is not read.
inline constexpr int64_t kTermBlock = 16;

/// Floats that a row of `depth` terms takes in packed tiles.
constexpr int64_t packed_depth(int64_t depth) {
  return (depth + kTermBlock - 1) / kTermBlock * kTermBlock;
}

/// sums[r][j] = start(r, j) + sum over k of a(k, r) * b[offset(k) + j] for all r < rows and j < vectors *
/// lanes, which leave by `end`. start is row_bias[r], or column_bias[j], or 0. The same for `count` tiles:
/// `a` is `a_step` floats further on for each, `end.to` and `end.operand` `to_step`, and `end.partial` the
/// sums of a tile.
struct TileArgs {
  const float* a = nullptr;  ///< In blocks of kTermBlock terms.
  const float* b = nullptr;
  const int32_t* b_offsets = nullptr;  ///< `depth` entries; null: offset(k) = k * b_stride.
  int64_t b_stride = 0;
  int64_t depth = 0;
  const float* row_bias = nullptr;
  const float* column_bias = nullptr;  ///< Used when row_bias is null.
  TileEnd end;
  ReadNext next;
  RowsNext next_rows;  ///< kSumBlock floats of each.
  RowsNext out_rows;   ///< Where these tiles go in the end, as wide as a tile.
  int64_t count = 1;
  int64_t a_step = 0, to_step = 0;
};

using TileFunction = void (*)(const TileArgs&);

/// The tiles of one instruction set.
struct TileSet {
  static constexpr int kMaxRows = 14;
  static constexpr int kMaxVectors = 8;

  int lanes = 0;     ///< float32 elements of a vector.
  int max_rows = 0;  ///< Rows of the largest tile.
  /// functions[rows - 1][log2(vectors)], null where a tile would not fit in the registers.
  TileFunction functions[kMaxRows][4] = {};

  /// The widest tile of that many rows, in vectors.
  int vectors_for(int rows) const {
    int log = 3;
    while (log > 0 && functions[rows - 1][log] == nullptr) --log;
    return 1 << log;
  }
  /// The narrowest tile of that many rows that has `columns` columns, or else the widest; its vectors.
  int vectors_for(int rows, int64_t columns) const {
    int log = 0;
    while (log < 3 && functions[rows - 1][log + 1] != nullptr && (int64_t{lanes} << log) < columns) ++log;
    return 1 << log;
  }
  TileFunction function(int rows, int vectors) const {
    return functions[rows - 1][vectors == 8 ? 3 : vectors == 4 ? 2 : vectors - 1];
  }
};

const TileSet& tile_set(Isa isa);

/// Terms that are summed in one chain. Short enough that rounding errors stay near those of summation in
/// halves.
inline constexpr int64_t kSumBlock = 128;
static_assert(kSumBlock % kTermBlock == 0);

/// Computes one tile of `rows` rows and `columns` columns over the whole depth of `args`: within a block of
/// kSumBlock terms one chain of fused multiply-adds in ascending order, blocks added in ascending order.
void run_tile(TileFunction function, const TileArgs& args, int rows, int64_t columns);

/// Columns that a tile may read and write beyond those asked for.
inline constexpr int64_t kMaxTileColumns = 8 * 16;
/// Elements of the largest tile of any instruction set: 14 rows of 2 vectors of 16, 4 rows of 2 of 4.
inline constexpr int64_t kMaxTileFloats = int64_t{TileSet::kMaxRows} * 2 * 16;

/// How `count` rows are cut into tiles of at most `max_rows`, as evenly as they go.
struct RowTiles {
  int64_t count;
  int64_t tiles;
  RowTiles(int64_t rows, int max_rows) : count(rows), tiles((rows + max_rows - 1) / max_rows) {}
  int64_t begin(int64_t tile) const {
    int64_t quotient = count / tiles;
    int64_t remainder = count % tiles;
    return tile * quotient + (tile < remainder ? tile : remainder);
  }
  /// The tile that row `row` belongs to.
  int64_t containing(int64_t row) const {
    const int64_t quotient = count / tiles, longer = count % tiles * (quotient + 1);
    return row < longer ? row / (quotient + 1) : count % tiles + (row - longer) / quotient;
  }
  int rows(int64_t tile) const { return static_cast<int>(begin(tile + 1) - begin(tile)); }
  /// How many tiles from `tile` on have as many rows.
  int64_t alike(int64_t tile) const {
    const int64_t longer = count % tiles;
    return (tile < longer ? longer : tiles) - tile;
  }
};

}  // namespace tenon::kernels
