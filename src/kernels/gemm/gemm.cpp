#include "kernels/gemm/gemm.h"

#include <algorithm>

#include "kernels/gemm/blocking.h"
#include "kernels/gemm/pack.h"
#include "kernels/lines/lines.h"

namespace tenon::kernels {

namespace {

/// Sums that an epilogue takes at a time, in the nearest cache.
constexpr int64_t kStripFloats = 2048;
static_assert(kStripFloats >= kMaxTileFloats);

int64_t panel_width(const TileSet& set) {
  return int64_t{set.vectors_for(set.max_rows)} * set.lanes;
}

int64_t panel_count(int64_t columns, int64_t width) {
  return (columns + width - 1) / width;
}

/// Panel `p` of a matrix as [depth][width], each column times its scale when there are scales.
void pack_panel(const MatrixRef& matrix, int64_t depth, int64_t columns, int64_t width, int64_t p,
                std::span<const double> scales, const PackFunctions& pack, float* to) {
  if (depth == 0) return;  // the matrix may have no data then
  const int64_t first = p * width;
  const int64_t count = std::min(width, columns - first);
  const float* from = matrix.data + first * matrix.column_stride;
  if (scales.empty() && matrix.column_stride == 1)
    return pack.columns(from, matrix.row_stride, count, depth, width, to);
  if (scales.empty() && matrix.row_stride == 1) {
    if (count < width) std::fill_n(to, depth * width, 0.0f);
    return pack.transposed(from, matrix.column_stride, count, depth, width, to);
  }
  for (int64_t k = 0; k < depth; ++k) {
    const float* row = from + k * matrix.row_stride;
    float* out = to + k * width;
    if (scales.empty()) {
      for (int64_t j = 0; j < count; ++j) out[j] = row[j * matrix.column_stride];
    } else {
      const double* scale = scales.data() + first;
      for (int64_t j = 0; j < count; ++j)
        out[j] = static_cast<float>(row[j * matrix.column_stride] * scale[j]);
    }
    std::fill(out + count, out + width, 0.0f);
  }
}

/// Rows [first, first + count) of a matrix as a packed tile.
void pack_rows(const MatrixRef& matrix, int64_t depth, int64_t first, int64_t count,
               const PackFunctions& pack, float* to) {
  if (depth == 0) return;  // the matrix may have no data then
  const float* from = matrix.data + first * matrix.row_stride;
  if (matrix.column_stride == 1) return pack.rows(from, matrix.row_stride, count, depth, to);
  for (int64_t k = 0; k < depth; ++k) {
    float* out = to + k / kTermBlock * count * kTermBlock + k % kTermBlock;
    for (int64_t r = 0; r < count; ++r)
      out[r * kTermBlock] = from[r * matrix.row_stride + k * matrix.column_stride];
  }
}

/// One call on its way: operands packed, tiles to compute.
class Product {
 public:
  Product(const GemmCall& call, const Epilogue& epilogue, Isa isa)
      : call_(call),
        epilogue_(epilogue),
        set_(tile_set(isa)),
        pack_(pack_functions(isa)),
        isa_(isa),
        multiply_by_(unary_function(isa, Unary::kMultiply)),
        tiles_(call.rows, set_.max_rows),
        width_(panel_width(set_)),
        panels_(panel_count(call.columns, width_)) {}

  void run(const Services& services) {
    const auto batches = static_cast<int64_t>(call_.a.size());
    const int64_t tile_sums = set_.max_rows * width_;
    const int64_t tile_rows = set_.max_rows * std::min(packed_depth(call_.depth), kSumBlock);
    const bool has_parts = call_.depth > kSumBlock;
    const Blocking blocking(batches, tiles_.tiles, panels_, tile_rows, has_parts ? tile_sums : 0,
                            services.threads);
    // What one thread reads is packed by it while it multiplies; other operands are packed for all
    // beforehand.
    const bool packs_bands = blocking.group == panels_ && batches * blocking.bands >= services.threads;
    const bool packs_matrices = call_.packed == nullptr && batches > 1 && batches >= services.threads;
    if (call_.loader != nullptr && !call_.loader->scale.empty()) measure_rows(services);
    if (!packs_bands) pack_rows_for_all(services);
    if (call_.packed != nullptr)
      columns_ = call_.packed->panels();
    else if (!packs_matrices)
      pack_columns_for_all(services);
    for_each_share(blocking, services, [&](BlockedShare share) {
      Own own;
      if (has_parts)
        own.partials = services.scratch_floats(blocking.max_tiles() * blocking.group * tile_sums);
      if (packs_bands) own.rows = services.scratch_floats(blocking.max_tiles() * tile_rows);
      if (packs_matrices) own.columns = services.scratch_floats(panels_ * call_.depth * width_ + 1);
      for (BlockedWork work; share.next(work);) {
        if (packs_matrices && own.batch != work.batch) {
          for (int64_t p = 0; p < panels_; ++p)
            pack_columns(work.batch, p, own.columns + p * call_.depth * width_);
          own.batch = work.batch;
        }
        for (int64_t k = 0; k == 0 || k < call_.depth; k += kSumBlock) {
          for (int64_t t = work.first_tile; packs_bands && t < work.last_tile; ++t)
            pack_tile(work.batch, t, k, rows_in(own.rows, work, t, k));
          multiply(work, k, own);
        }
      }
    });
  }

 private:
  /// What a thread has for itself.
  struct Own {
    float* rows = nullptr;     // packed tiles of a band, unless they are packed for all
    float* columns = nullptr;  // the packed matrix B of a batch, likewise
    float* partials = nullptr;
    int64_t batch = -1;  // that `columns` has
  };

  void pack_rows_for_all(const Services& services) {
    const auto batches = static_cast<int64_t>(call_.a.size());
    rows_ = services.scratch_floats(batches * call_.rows * packed_depth(call_.depth) + 1);
    services.parallel_for(batches * tiles_.tiles, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t k = 0; k < call_.depth; k += kSumBlock)
          pack_tile(i / tiles_.tiles, i % tiles_.tiles, k, rows_of(i / tiles_.tiles, i % tiles_.tiles, k));
    });
  }

  void pack_columns_for_all(const Services& services) {
    const int64_t panels = static_cast<int64_t>(call_.a.size()) * panels_, floats = call_.depth * width_;
    float* to = services.scratch_floats(panels * floats + 1);
    columns_ = to;
    services.parallel_for(panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) pack_columns(i / panels_, i % panels_, to + i * floats);
    });
  }

  /// Packs a panel of B.
  void pack_columns(int64_t batch, int64_t panel, float* to) const {
    pack_panel(call_.b[static_cast<size_t>(batch)], call_.depth, call_.columns, width_, panel, {}, pack_, to);
    scale(call_.b_scale, call_.depth * width_, to);
  }

  /// Multiplies what was packed.
  void scale(std::optional<float> by, int64_t floats, float* packed) const {
    if (by) multiply_by_({packed, packed, floats, *by});
  }

  const float* loaded_row(int64_t row) const {
    if (!call_.loader->rows.empty()) row = call_.loader->rows[static_cast<size_t>(row)];
    return call_.a[0].data + row * call_.a[0].row_stride;
  }

  /// The moments of all rows, of those of no terms as well.
  void measure_rows(const Services& services) {
    means_ = services.scratch_floats(call_.rows);
    factors_ = services.scratch_floats(call_.rows);
    services.parallel_for(call_.rows, set_.max_rows, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end && call_.depth > 0; ++r) {
        const LineMoments moments = line_moments(loaded_row(r), call_.depth, call_.loader->epsilon, isa_);
        means_[r] = moments.mean;
        factors_[r] = moments.factor;
      }
    });
  }

  /// Packs the terms from `k` on of a tile whose rows have a loader.
  void pack_loaded(int64_t tile, int64_t k, float* to) const {
    const int64_t first = tiles_.begin(tile), count = tiles_.rows(tile);
    const float* rows[TileSet::kMaxRows];
    for (int64_t r = 0; r < count; ++r) rows[r] = loaded_row(first + r) + k;
    LoadedRows from{.rows = rows};
    if (means_ != nullptr)
      from = {rows, means_ + first, factors_ + first, call_.loader->scale.data() + k,
              call_.loader->bias.data() + k};
    pack_.loaded(from, count, std::min(kSumBlock, call_.depth - k), to);
  }

  /// Packs the terms of a tile from `k` on, at most kSumBlock.
  void pack_tile(int64_t batch, int64_t tile, int64_t k, float* to) const {
    if (call_.loader != nullptr) return pack_loaded(tile, k, to);
    MatrixRef part = call_.a[static_cast<size_t>(batch)];
    part.data += k * part.column_stride;
    const int64_t terms = std::min(kSumBlock, call_.depth - k);
    pack_rows(part, terms, tiles_.begin(tile), tiles_.rows(tile), pack_, to);
    scale(call_.a_scale, tiles_.rows(tile) * packed_depth(terms), to);
  }

  /// The terms from `k` on of a tile, at most kSumBlock. Those of one tile after the other lie together.
  float* rows_of(int64_t batch, int64_t tile, int64_t k) const {
    const int64_t depth = packed_depth(call_.depth), terms = std::min(kSumBlock, depth - k);
    return rows_ + (batch * depth + k) * call_.rows + tiles_.begin(tile) * terms;
  }
  /// The same where `band` has the terms from `k` on of the tiles of `work` alone.
  float* rows_in(float* band, const BlockedWork& work, int64_t tile, int64_t k) const {
    const int64_t terms = std::min(kSumBlock, packed_depth(call_.depth) - k);
    return band + (tiles_.begin(tile) - tiles_.begin(work.first_tile)) * terms;
  }

  /// What is packed after the terms from `k` on of `work`, its further terms or the next band: the part for
  /// `count` tiles from `tile` on with `panel`.
  RowsNext rows_after(const BlockedWork& work, int64_t k, int64_t panel, int64_t tile, int64_t count) const {
    const bool is_last = k + kSumBlock >= call_.depth;
    const int64_t band = tiles_.begin(work.last_tile) - tiles_.begin(work.first_tile);
    const int64_t first = tiles_.begin(is_last ? work.last_tile : work.first_tile);
    const int64_t rows = std::min(band, call_.rows - first);
    const int64_t tiles = work.last_tile - work.first_tile;
    const int64_t at = (panel - work.first_panel) * tiles + tile - work.first_tile;
    const int64_t all = (work.last_panel - work.first_panel) * tiles;
    const int64_t begin = first + rows * at / all, end = first + rows * (at + count) / all;
    const MatrixRef& a = call_.a[static_cast<size_t>(work.batch)];
    return {a.data + begin * a.row_stride + (is_last ? 0 : (k + kSumBlock) * a.column_stride), a.row_stride,
            end - begin};
  }

  /// The terms from `k` on of all tiles and panels of `work`, at most kSumBlock; the last ones end the sums.
  void multiply(const BlockedWork& work, int64_t k, const Own& own) const {
    const int vectors = set_.vectors_for(set_.max_rows);
    const float* bias = call_.packed != nullptr && k == 0 ? call_.packed->bias() : nullptr;
    const bool is_last = k + kSumBlock >= call_.depth;
    TileArgs args;
    args.b_stride = width_;
    args.depth = std::min(kSumBlock, call_.depth - k);
    float* partial = own.partials;
    for (int64_t panel = work.first_panel; panel < work.last_panel; ++panel) {
      const int64_t matrix = call_.packed != nullptr || own.columns != nullptr ? 0 : work.batch;
      const int64_t column = panel * width_;
      args.b = (own.columns != nullptr ? own.columns : columns_) +
               ((matrix * panels_ + panel) * call_.depth + k) * width_;
      args.column_bias = bias != nullptr ? bias + column : nullptr;
      // A lone tile reads its panels in the order of memory anyway.
      ReadNext next;
      if (panel + 1 < work.last_panel && work.last_tile - work.first_tile > 1)
        next = {args.b + call_.depth * width_, args.depth * width_};
      for (int64_t tile = work.first_tile; tile < work.last_tile; tile += args.count) {
        const int rows = tiles_.rows(tile);
        const int64_t out = (work.batch * call_.rows + tiles_.begin(tile)) * call_.columns;
        alignas(64) float sums[kStripFloats];
        const auto end = epilogue_.tile_end(call_.out, out + column, call_.columns, call_.operands);
        const bool is_direct = is_last && end && column + width_ <= call_.columns;
        args.count = std::min(tiles_.alike(tile), work.last_tile - tile);
        if (is_last && !is_direct) args.count = std::min(args.count, kStripFloats / (rows * width_));
        args.a = own.rows != nullptr ? rows_in(own.rows, work, tile, k) : rows_of(work.batch, tile, k);
        args.a_step = packed_depth(args.depth) * rows;
        args.end = is_direct ? *end : TileEnd{.to = is_last ? sums : partial, .stride = width_};
        args.end.partial = k > 0 ? partial : nullptr;
        args.to_step = rows * args.end.stride;
        args.next = next.part(tile - work.first_tile, args.count, work.last_tile - work.first_tile);
        args.out_rows = {};
        if (is_last) args.out_rows = {call_.out + out + column, call_.columns, args.count * rows};
        if (own.rows != nullptr && (call_.loader == nullptr || call_.loader->rows.empty()))
          args.next_rows = rows_after(work, k, panel, tile, args.count);
        set_.function(rows, vectors)(args);
        const int64_t all_rows = args.count * rows;
        if (own.partials != nullptr) partial += all_rows * width_;
        if (is_direct || !is_last) continue;
        const auto count = static_cast<int32_t>(std::min(width_, call_.columns - column));
        const Segment segment{0, count, column};
        const float* operands[kEpilogueOperandsMax];
        for (size_t i = 0; i < call_.operands.size(); ++i) operands[i] = call_.operands[i] + out;
        epilogue_.finish({sums, static_cast<int>(all_rows), width_, &segment, 1, call_.out + out,
                          call_.columns, operands});
      }
    }
  }

  const GemmCall& call_;
  const Epilogue& epilogue_;
  const TileSet& set_;
  const PackFunctions& pack_;
  Isa isa_;
  UnaryFunction multiply_by_;
  RowTiles tiles_;
  int64_t width_, panels_;
  float* means_ = nullptr;    // of the rows, when they are normalised
  float* factors_ = nullptr;  // likewise
  float* rows_ = nullptr;     // [batches][blocks of terms][rows in tiles][terms], unless bands are packed
  const float* columns_ = nullptr;  // [batches or 1][panels][depth][width]
};

}  // namespace

PackedColumns::PackedColumns(const MatrixRef& matrix, int64_t depth, int64_t columns,
                             std::span<const double> scales, std::span<const float> bias, Isa isa,
                             Packing& packing)
    : depth_(depth), columns_(columns) {
  const int64_t width = panel_width(tile_set(isa));
  const int64_t panels = panel_count(columns, width);
  memory_ = packing.pack(static_cast<size_t>(panels * depth * width), [&](float* to) {
    for (int64_t p = 0; p < panels; ++p)
      pack_panel(matrix, depth, columns, width, p, scales, pack_functions(isa), to + p * depth * width);
  });
  if (bias.empty()) return;
  bias_.assign(bias.begin(), bias.end());
  bias_.resize(static_cast<size_t>(panels * width), 0.0f);
}

void gemm(const GemmCall& call, const Epilogue& epilogue, Isa isa, const Services& services) {
  if (call.rows == 0 || call.columns == 0 || call.a.empty()) return;
  Product(call, epilogue, isa).run(services);
}

}  // namespace tenon::kernels
