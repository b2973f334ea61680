// PackedRows: the row operand of a product, cut into tiles and stored in the order in which tiles read it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/gemm/tile.h"
#include "kernels/vector_memory.h"

namespace tenon::kernels {

class PackedRows {
 public:
  PackedRows() = default;
  /// Packs a matrix of `rows` times `depth`, element (r, k) given by get(r, k), for the tiles of `set`.
  template <class Get>
  PackedRows(const TileSet& set, int64_t rows, int64_t depth, const Get& get)
      : tiles_(rows, set.max_rows), depth_(depth), memory_(static_cast<size_t>(rows * depth)) {
    for (int64_t t = 0; t < tiles_.tiles; ++t) {
      int64_t first = tiles_.begin(t);
      int64_t count = tiles_.rows(t);
      float* to = memory_.data() + first * depth;
      for (int64_t k = 0; k < depth; ++k)
        for (int64_t r = 0; r < count; ++r) *to++ = get(first + r, k);
    }
  }

  const RowTiles& tiles() const { return tiles_; }
  /// The operand of a tile: [depth][rows of the tile].
  const float* tile(int64_t t) const { return memory_.data() + tiles_.begin(t) * depth_; }
  size_t bytes() const { return memory_.bytes(); }

 private:
  RowTiles tiles_{0, 1};
  int64_t depth_ = 0;
  VectorMemory memory_;
};

}  // namespace tenon::kernels
