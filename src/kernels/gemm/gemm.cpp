#include "kernels/gemm/gemm.h"

#include <algorithm>

#include "kernels/gemm/pack.h"

namespace tenon::kernels {

namespace {

/// Rows of the left operand that are multiplied with one panel after the other: half of a second cache.
constexpr int64_t kGroupFloats = (int64_t{512} << 10) / sizeof(float);

int64_t panel_width(const TileSet& set) {
  return int64_t{set.vectors_for(set.max_rows)} * set.lanes;
}

int64_t panel_count(int64_t columns, int64_t width) {
  return (columns + width - 1) / width;
}

/// Panel `p` of a matrix as [depth][width], each column times its scale when there are scales.
void pack_panel(const MatrixRef& matrix, int64_t depth, int64_t columns, int64_t width, int64_t p,
                std::span<const double> scales, float* to) {
  if (depth == 0) return;  // the matrix may have no data then
  const int64_t first = p * width;
  const int64_t count = std::min(width, columns - first);
  const float* from = matrix.data + first * matrix.column_stride;
  for (int64_t k = 0; k < depth; ++k) {
    const float* row = from + k * matrix.row_stride;
    float* out = to + k * width;
    if (!scales.empty()) {
      const double* scale = scales.data() + first;
      for (int64_t j = 0; j < count; ++j)
        out[j] = static_cast<float>(row[j * matrix.column_stride] * scale[j]);
    } else if (matrix.column_stride == 1) {
      std::copy_n(row, count, out);
    } else {
      for (int64_t j = 0; j < count; ++j) out[j] = row[j * matrix.column_stride];
    }
    std::fill(out + count, out + width, 0.0f);
  }
}

/// Rows [first, first + count) of a matrix as [depth][count].
void pack_rows(const MatrixRef& matrix, int64_t depth, int64_t first, int64_t count, PackRows pack,
               float* to) {
  if (depth == 0) return;  // the matrix may have no data then
  const float* from = matrix.data + first * matrix.row_stride;
  if (matrix.column_stride == 1) return pack(from, matrix.row_stride, count, depth, to);
  for (int64_t r = 0; r < count; ++r)
    for (int64_t k = 0; k < depth; ++k)
      to[k * count + r] = from[r * matrix.row_stride + k * matrix.column_stride];
}

/// One call on its way: operands packed, tiles to compute.
class Product {
 public:
  Product(const GemmCall& call, const Epilogue& epilogue, Isa isa)
      : call_(call),
        epilogue_(epilogue),
        set_(tile_set(isa)),
        pack_(pack_rows_function(isa)),
        tiles_(call.rows, set_.max_rows),
        width_(panel_width(set_)),
        panels_(panel_count(call.columns, width_)) {}

  void run(const Services& services) {
    const auto batches = static_cast<int64_t>(call_.a.size());
    const int64_t a_floats = call_.rows * call_.depth;
    const int64_t b_floats = call_.packed != nullptr ? 0 : panels_ * call_.depth * width_;
    rows_ = services.scratch_floats(batches * (a_floats + b_floats) + 1);
    columns_ = call_.packed != nullptr ? call_.packed->panels() : rows_ + batches * a_floats;
    services.parallel_for(batches * tiles_.tiles, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t t = i % tiles_.tiles;
        pack_rows(call_.a[static_cast<size_t>(i / tiles_.tiles)], call_.depth, tiles_.begin(t),
                  tiles_.rows(t), pack_, rows_of(i / tiles_.tiles, t));
      }
    });
    if (call_.packed == nullptr) {
      float* to = rows_ + batches * a_floats;
      services.parallel_for(batches * panels_, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          pack_panel(call_.b[static_cast<size_t>(i / panels_)], call_.depth, call_.columns, width_,
                     i % panels_, {}, to + i * call_.depth * width_);
      });
    }
    // Groups of row tiles stay in the second cache while all panels go by.
    const int64_t group_rows = std::max<int64_t>(kGroupFloats / std::max<int64_t>(call_.depth, 1), 1);
    const RowTiles groups(tiles_.tiles,
                          static_cast<int>(std::clamp<int64_t>(group_rows / set_.max_rows, 1,
                                                               std::max<int64_t>(tiles_.tiles, 1))));
    services.parallel_for(batches * panels_ * tiles_.tiles, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t batch = i / (panels_ * tiles_.tiles), place = i % (panels_ * tiles_.tiles);
        const int64_t group = groups.containing(place / panels_);
        const int64_t inside = place - groups.begin(group) * panels_;
        compute(batch, inside / groups.rows(group), groups.begin(group) + inside % groups.rows(group));
      }
    });
  }

 private:
  float* rows_of(int64_t batch, int64_t tile) const {
    return rows_ + (batch * call_.rows + tiles_.begin(tile)) * call_.depth;
  }

  void compute(int64_t batch, int64_t panel, int64_t tile) const {
    const int rows = tiles_.rows(tile);
    const int vectors = set_.vectors_for(set_.max_rows);
    const float* bias = call_.packed != nullptr ? call_.packed->bias() : nullptr;
    const int64_t matrix = call_.packed != nullptr ? panel : batch * panels_ + panel;
    const int64_t out = (batch * call_.rows + tiles_.begin(tile)) * call_.columns, column = panel * width_;
    TileArgs args;
    args.a = rows_of(batch, tile);
    args.b = columns_ + matrix * call_.depth * width_;
    args.b_stride = width_;
    args.depth = call_.depth;
    args.column_bias = bias != nullptr ? bias + column : nullptr;
    alignas(64) float sums[kMaxTileFloats];
    const auto end = epilogue_.tile_end(call_.out, out + column, call_.columns, call_.operands);
    const bool is_direct = end && column + width_ <= call_.columns;
    args.end = is_direct ? *end : TileEnd{.to = sums, .stride = width_};
    run_tile(set_.function(rows, vectors), args, rows, width_);
    if (is_direct) return;
    const auto count = static_cast<int32_t>(std::min(width_, call_.columns - column));
    const Segment segment{0, count, column};
    const float* operands[kEpilogueOperandsMax];
    for (size_t i = 0; i < call_.operands.size(); ++i) operands[i] = call_.operands[i] + out;
    epilogue_.finish({sums, rows, width_, &segment, 1, call_.out + out, call_.columns, operands});
  }

  const GemmCall& call_;
  const Epilogue& epilogue_;
  const TileSet& set_;
  PackRows pack_;
  RowTiles tiles_;
  int64_t width_, panels_;
  float* rows_ = nullptr;           // [batches][rows in tiles][depth]
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
      pack_panel(matrix, depth, columns, width, p, scales, to + p * depth * width);
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
