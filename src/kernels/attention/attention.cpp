#include "kernels/attention/attention.h"

#include <algorithm>

#include "kernels/attention/score_rows.h"
#include "kernels/gemm/pack.h"
#include "kernels/gemm/tile.h"
#include "kernels/math/unary.h"

namespace tenon::kernels {

namespace {

/// Scores of a block of queries: they stay in the second cache, and panels of keys and values in the first.
constexpr int64_t kBlockScores = 16 << 10;

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

int64_t panels_of(int64_t columns, int64_t width) {
  return (columns + width - 1) / width;
}

/// Forbids the keys that query `i` does not see, and what the mask forbids; adds it when it has numbers.
/// Returns whether a key is left.
bool mask_scores(const AttentionCall& call, const AttentionHead& head, int64_t i, float* scores) {
  const int64_t first = std::clamp<int64_t>(i - call.left, 0, call.kv_length);
  int64_t last = std::clamp<int64_t>(i + call.right + 1, first, call.kv_length);
  const bool is_masked = head.mask != nullptr || head.allowed != nullptr;
  if (is_masked && call.mask_width != 1) last = std::max(first, std::min(last, call.mask_width));
  std::fill_n(scores, first, kForbidden);
  std::fill(scores + last, scores + call.kv_length, kForbidden);
  if (!is_masked) return first < last;
  const int64_t step = call.mask_width == 1 ? 0 : 1;
  bool any = false;
  if (head.mask != nullptr) {
    const float* row = head.mask + i * call.mask_row;
    for (int64_t j = first; j < last; ++j) {
      scores[j] += row[j * step];
      any = any || row[j * step] != kForbidden;
    }
  } else {
    const uint8_t* row = head.allowed + i * call.mask_row;
    for (int64_t j = first; j < last; ++j) {
      if (row[j * step] == 0) scores[j] = kForbidden;
      any = any || row[j * step] != 0;
    }
  }
  return any;
}

/// How a call is cut, the same for all heads.
struct Cut {
  const TileSet& tiles;
  RowTiles rows;      // of all queries
  int64_t block;      // tiles of a block
  int vectors;        // of a panel
  int64_t width;      // of a panel, in floats
  int64_t score_row;  // floats
  int64_t key_panels, value_panels;

  Cut(const AttentionCall& call, Isa isa) : tiles(tile_set(isa)), rows(call.q_length, tiles.max_rows) {
    const int most = rows.rows(0);
    vectors = tiles.vectors_for(most, std::max(call.kv_length, call.v_head_size));
    width = int64_t{vectors} * tiles.lanes;
    key_panels = panels_of(call.kv_length, width);
    value_panels = panels_of(call.v_head_size, width);
    score_row = key_panels * width;
    block = std::clamp<int64_t>(kBlockScores / std::max<int64_t>(score_row * most, 1), 1, rows.tiles);
  }
  int64_t blocks() const { return panels_of(rows.tiles, block); }
  int64_t block_rows() const { return block * rows.rows(0); }
};

/// One thread's way through blocks.
class Worker {
 public:
  Worker(const AttentionCall& call, const Cut& cut, Isa isa, const Services& services)
      : call_(call),
        cut_(cut),
        pack_(pack_functions(isa)),
        weigh_(weigh_rows(isa)),
        multiply_(unary_function(isa, Unary::kMultiply)),
        keys_(services.scratch_floats(call.head_size * cut.score_row)),
        values_(services.scratch_floats(call.kv_length * cut.value_panels * cut.width)),
        rows_(services.scratch_floats(cut.block_rows() *
                                      packed_depth(std::max(call.head_size, call.kv_length)))),
        scores_(services.scratch_floats(cut.block_rows() * cut.score_row)),
        sums_(services.scratch_floats(cut.rows.rows(0) * cut.width)),
        sees_nothing_(services.scratch_array<bool>(cut.block_rows())) {
    // What is never packed are columns whose sums nobody reads, and terms that are none.
    std::fill_n(keys_, call.head_size * cut.score_row, 0.0f);
    std::fill_n(rows_, cut.block_rows() * packed_depth(std::max(call.head_size, call.kv_length)), 0.0f);
  }

  /// Tiles [first, last) of a head's queries. `next`: the head that comes after it, or null.
  void run(const AttentionHead& head, int64_t first, int64_t last, const AttentionHead* next) {
    if (head.k != packed_k_ || head.v != packed_v_) pack_head(head);
    const int64_t begin = cut_.rows.begin(first);
    multiply_keys(head, first, last);
    if (call_.kv_length > 0)
      for (int64_t t = first; t < last; ++t) weigh(head, t, cut_.rows.begin(t) - begin, next);
    multiply_values(head, first, last);
    for (int64_t i = begin; i < cut_.rows.begin(last); ++i)
      if (call_.kv_length > 0 && sees_nothing_[i - begin])
        std::fill_n(head.out + i * call_.out_row, call_.v_head_size, 0.0f);
  }

 private:
  void pack_head(const AttentionHead& head) {
    packed_k_ = head.k;
    packed_v_ = head.v;
    for (int64_t p = 0; p < cut_.key_panels; ++p)
      pack_.transposed(head.k + p * cut_.width * call_.k_row, call_.k_row,
                       std::min(cut_.width, call_.kv_length - p * cut_.width), call_.head_size, cut_.width,
                       keys_ + p * cut_.width * call_.head_size);
    scale(keys_, call_.head_size * cut_.score_row, call_.k_scale);
    for (int64_t p = 0; p < cut_.value_panels; ++p)
      pack_.columns(head.v + p * cut_.width, call_.v_row,
                    std::min(cut_.width, call_.v_head_size - p * cut_.width), call_.kv_length, cut_.width,
                    values_ + p * cut_.width * call_.kv_length);
  }

  void multiply_keys(const AttentionHead& head, int64_t first, int64_t last) const {
    const int64_t begin = cut_.rows.begin(first);
    for (int64_t t = first; t < last; ++t)
      pack_.rows(head.q + cut_.rows.begin(t) * call_.q_row, call_.q_row, cut_.rows.rows(t), call_.head_size,
                 rows_ + (cut_.rows.begin(t) - begin) * packed_depth(call_.head_size));
    scale(rows_, (cut_.rows.begin(last) - begin) * packed_depth(call_.head_size), call_.q_scale);
    TileArgs args;
    args.depth = call_.head_size;
    args.b_stride = cut_.width;
    for (int64_t p = 0; p < cut_.key_panels; ++p) {
      args.b = keys_ + p * cut_.width * call_.head_size;
      for (int64_t t = first; t < last; ++t) {
        const int64_t at = cut_.rows.begin(t) - begin;
        args.a = rows_ + at * packed_depth(call_.head_size);
        args.end = {.to = scores_ + at * cut_.score_row + p * cut_.width, .stride = cut_.score_row};
        run(args, t);
      }
    }
  }

  void multiply_values(const AttentionHead& head, int64_t first, int64_t last) const {
    const int64_t begin = cut_.rows.begin(first);
    for (int64_t p = 0; p < cut_.value_panels; ++p) {
      const int64_t columns = std::min(cut_.width, call_.v_head_size - p * cut_.width);
      TileArgs args;
      args.depth = call_.kv_length;
      args.b_stride = cut_.width;
      args.b = values_ + p * cut_.width * call_.kv_length;
      for (int64_t t = first; t < last; ++t) {
        const int64_t row = cut_.rows.begin(t);
        float* out = head.out + row * call_.out_row + p * cut_.width;
        args.a = rows_ + (row - begin) * packed_depth(call_.kv_length);
        if (columns == cut_.width) {
          args.end = {.to = out, .stride = call_.out_row};
          args.out_rows = {out, call_.out_row, cut_.rows.rows(t)};
          run(args, t);
          continue;
        }
        args.end = {.to = sums_, .stride = cut_.width};
        run(args, t);
        for (int64_t r = 0; r < cut_.rows.rows(t); ++r)
          std::copy_n(sums_ + r * cut_.width, columns, out + r * call_.out_row);
      }
    }
  }

  void scale(float* floats, int64_t count, float factor) const {
    if (factor != 1) multiply_({floats, floats, count, factor});
  }

  /// A tile without terms is zeros.
  void run(const TileArgs& args, int64_t tile) const {
    const int rows = cut_.rows.rows(tile);
    if (args.depth > 0) return run_tile(cut_.tiles.function(rows, cut_.vectors), args, rows, cut_.width);
    for (int64_t r = 0; r < rows; ++r) std::fill_n(args.end.to + r * args.end.stride, cut_.width, 0.0f);
  }

  /// The weights of a tile of queries from their scores; `at`: the tile's first row in the block.
  void weigh(const AttentionHead& head, int64_t tile, int64_t at, const AttentionHead* next) const {
    const int64_t first = cut_.rows.begin(tile);
    ScoreRows rows;
    rows.scores = scores_ + at * cut_.score_row;
    rows.rows = cut_.rows.rows(tile);
    rows.stride = cut_.score_row;
    rows.keys = call_.kv_length;
    rows.scale = call_.scale;
    rows.weights = rows_ + at * packed_depth(call_.kv_length);
    for (size_t n = 0; n < head.added.size(); ++n) {
      rows.added_row[n] = call_.added_row[n];
      if (head.added[n] != nullptr) rows.added[n] = head.added[n] + first * call_.added_row[n];
    }
    if (next != nullptr)
      rows.next = {{{next->q + first * call_.q_row, call_.q_row, call_.head_size},
                    {next->k + first * call_.k_row, call_.k_row, call_.head_size},
                    {next->v + first * call_.v_row, call_.v_row, call_.v_head_size}}};
    bool* sees_nothing = sees_nothing_ + at;
    std::fill_n(sees_nothing, rows.rows, false);
    const int64_t last_query = first + rows.rows - 1;
    const bool has_window = last_query > call_.left || first + call_.right + 1 < call_.kv_length;
    if (has_window || head.mask != nullptr || head.allowed != nullptr) {
      for (int64_t r = 0; r < rows.rows; ++r) {
        float* row = rows.scores + r * rows.stride;
        for (int64_t j = 0; j < call_.kv_length; ++j) row[j] *= call_.scale;
        sees_nothing[r] = !mask_scores(call_, head, first + r, row);
        if (sees_nothing[r]) std::fill_n(row, call_.kv_length, 0.0f);
      }
      rows.scale = 1;
    }
    weigh_(rows);
  }

  const AttentionCall& call_;
  const Cut& cut_;
  const PackFunctions& pack_;
  WeighRows weigh_;
  UnaryFunction multiply_;
  const float* packed_k_ = nullptr;
  const float* packed_v_ = nullptr;
  float* keys_;         // [panel][head_size][width]
  float* values_;       // [panel][kv_length][width]
  float* rows_;         // packed tiles, of queries or of weights
  float* scores_;       // [row][score_row]
  float* sums_;         // of a tile that is wider than the output
  bool* sees_nothing_;  // by row
};

}  // namespace

void attention(const AttentionCall& call, Isa isa, const Services& services) {
  const auto heads = static_cast<int64_t>(call.heads.size());
  if (heads * call.q_length * call.v_head_size == 0) return;
  const Cut cut(call, isa);
  services.parallel_for(heads * cut.blocks(), 1, [&](int64_t begin, int64_t end) {
    Worker worker(call, cut, isa, services);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % cut.blocks() * cut.block;
      const AttentionHead& head = call.heads[static_cast<size_t>(i / cut.blocks())];
      const int64_t last = std::min(first + cut.block, cut.rows.tiles);
      worker.run(head, first, last, last == cut.rows.tiles && i + 1 < end ? &head + 1 : nullptr);
    }
  });
}

}  // namespace tenon::kernels
