// From the scores of a tile of queries to their weights, in the vector code of one instruction set.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

struct ScoreRows {
  float* scores = nullptr;  ///< [rows][stride], overwritten; a row has room for whole vectors of keys.
  int64_t rows = 0;         ///< TileSet::kMaxRows at most.
  int64_t stride = 0;
  int64_t keys = 0;  ///< At least one.
  float scale = 1;
  std::array<const float*, 2> added = {};  ///< Of the first row; null: nothing.
  std::array<int64_t, 2> added_row = {};
  float* weights = nullptr;  ///< A packed tile: [keys / kTermBlock][rows][kTermBlock].
  /// Rows that will be read soon: `floats` of one of each kind are brought with each row of scores.
  struct Next {
    const float* first = nullptr;  ///< Null: none.
    int64_t stride = 0, floats = 0;
  };
  std::array<Next, 3> next = {};
};

/// weights = softmax(scores * scale + added). Exponentials below the least normal number are 0. Rounding
/// errors of a weight w are those of exp plus |ln w| / 2 units in the last place, so less than one of the
/// greatest weight.
using WeighRows = void (*)(const ScoreRows&);
WeighRows weigh_rows(Isa isa);

}  // namespace tenon::kernels
