#include "kernels/conv/conv2d.h"

#include <algorithm>
#include <cstring>

namespace tenon::kernels {

namespace {

/// With at least so many panels of columns, threads share panels; with fewer, they share tiles of rows.
constexpr int64_t kManyPanels = 16;
/// Channels whose distance is a multiple of this fall on the same few sets of the caches.
constexpr int64_t kAliasFloats = 256;

/// floor(a / b) for b > 0.
int64_t floor_div(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

}  // namespace

int64_t saturated_product(std::initializer_list<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes)
    if (__builtin_mul_overflow(product, size, &product)) return INT64_MAX;
  return product;
}

/// Where things are in the padded input of one call: [channel][row phase][column phase][row][column].
/// Splitting rows and columns by their phase (position modulo the stride) makes neighbours in the output
/// neighbours here. Column j of the product is output row j / width, column j % width; those beyond out_w are
/// never written out.
struct Conv2d::Layout {
  bool direct = false;  // the input itself serves
  int64_t phases_h = 1, phases_w = 1;
  int64_t rows = 1, width = 1;
  int64_t plane = 1;    // floats between phases
  int64_t channel = 1;  // floats between channels
  int64_t columns = 1;  // of the product
  int64_t panel = 1;    // columns of a panel
  int64_t panels = 1;
  const int32_t* offsets = nullptr;  // of the taps of one group

  Layout(const ConvFilter& filter, const ConvCall& call, const TileSet& set, int max_rows) {
    bool unit = filter.kernel_h == 1 && filter.kernel_w == 1 && filter.stride_h == 1 && filter.stride_w == 1;
    bool whole =
        call.pad_top == 0 && call.pad_left == 0 && call.out_h == call.in_h && call.out_w == call.in_w;
    panel = int64_t{set.vectors_for(max_rows)} * set.lanes;
    int64_t area = call.in_h * call.in_w;
    bool many = call.images * filter.groups * ((area + panel - 1) / panel) >= kManyPanels;
    direct = unit && whole && many && area % kAliasFloats != 0 && (!call.grid || call.in_h == 1);
    if (direct) {
      width = plane = channel = columns = area;
    } else {
      phases_h = std::min(filter.stride_h, (filter.kernel_h - 1) * filter.dilation_h + 1);
      phases_w = std::min(filter.stride_w, (filter.kernel_w - 1) * filter.dilation_w + 1);
      rows = call.out_h + (filter.kernel_h - 1) * filter.dilation_h / filter.stride_h;
      width = call.out_w + (filter.kernel_w - 1) * filter.dilation_w / filter.stride_w;
      plane = saturated_product({rows, width});
      channel = saturated_product({phases_h, phases_w, rows, width});
      if (channel % kAliasFloats == 0) channel += 16;
      columns = (call.out_h - 1) * width + call.out_w;
    }
    panels = (columns + panel - 1) / panel;
  }

  int64_t floats(const ConvFilter& filter, const ConvCall& call) const {
    return call.images * filter.groups * filter.in_channels * channel + kMaxTileColumns;
  }
  /// False when a distance does not fit.
  bool make_offsets(const ConvFilter& filter, const Services& services) {
    if (channel > INT32_MAX / std::max<int64_t>(filter.in_channels, 1)) return false;
    auto* to = services.scratch_array<int32_t>(filter.depth());
    offsets = to;
    for (int64_t c = 0; c < filter.in_channels; ++c) {
      for (int64_t y = 0; y < filter.kernel_h; ++y) {
        for (int64_t x = 0; x < filter.kernel_w; ++x) {
          int64_t dy = y * filter.dilation_h;
          int64_t dx = x * filter.dilation_w;
          int64_t phase = dy % filter.stride_h * phases_w + dx % filter.stride_w;
          *to++ = static_cast<int32_t>(c * channel + phase * plane + dy / filter.stride_h * width +
                                       dx / filter.stride_w);
        }
      }
    }
    return true;
  }
};

PackedFloats ConvWeights::padded_bias(int64_t channels) const {
  return PackedFloats::make(static_cast<size_t>(channels),
                            [&](float* to) { std::copy(bias.begin(), bias.end(), to); });
}

Conv2d::Conv2d(const ConvFilter& filter, const ConvWeights& weights, Epilogue epilogue, Isa isa,
               Packing& packing)
    : filter_(filter),
      tiles_(&tile_set(isa)),
      epilogue_(std::move(epilogue)),
      rows_(filter.out_channels, tiles_->max_rows),
      bias_(weights.bias.begin(), weights.bias.end()) {
  const int64_t depth = filter.depth(), channels = filter.groups * filter.out_channels;
  const int64_t row = packed_depth(depth);
  weights_ = packing.pack(static_cast<size_t>(channels * row), [&](float* to) {
    for (int64_t first = 0; first < channels; first += filter.out_channels) {
      for (int64_t t = 0; t < rows_.tiles; ++t) {
        float* tile = to + (first + rows_.begin(t)) * row;
        for (int64_t k = 0; k < depth; ++k)
          for (int64_t r = 0; r < rows_.rows(t); ++r) {
            const int64_t channel = first + rows_.begin(t) + r;
            tile[(k / kTermBlock * rows_.rows(t) + r) * kTermBlock + k % kTermBlock] =
                weights.at(channel, channel * depth + k);
          }
      }
    }
  });
}

void Conv2d::copy_padded(const ConvCall& call, const Layout& layout, const Services& services,
                         float* to) const {
  int64_t channels = call.images * filter_.groups * filter_.in_channels;
  services.parallel_for(channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const float* from = call.input + c * call.in_h * call.in_w;
      float* channel = to + c * layout.channel;
      for (int64_t py = 0; py < layout.phases_h; ++py) {
        for (int64_t px = 0; px < layout.phases_w; ++px) {
          float* plane = channel + (py * layout.phases_w + px) * layout.plane;
          // Columns [first, last) of the plane lie inside the input.
          int64_t x0 = px - call.pad_left;
          int64_t first = std::clamp<int64_t>(-floor_div(x0, filter_.stride_w), 0, layout.width);
          int64_t last =
              std::clamp<int64_t>(-floor_div(x0 - call.in_w, filter_.stride_w), first, layout.width);
          for (int64_t r = 0; r < layout.rows; ++r) {
            float* row = plane + r * layout.width;
            int64_t y = r * filter_.stride_h + py - call.pad_top;
            if (y < 0 || y >= call.in_h) {
              std::fill_n(row, layout.width, 0.0f);
              continue;
            }
            std::fill(row, row + first, 0.0f);
            const float* source = from + y * call.in_w + x0;
            if (filter_.stride_w == 1)
              std::copy(source + first, source + last, row + first);
            else
              for (int64_t x = first; x < last; ++x) row[x] = source[x * filter_.stride_w];
            std::fill(row + last, row + layout.width, 0.0f);
          }
        }
      }
    }
  });
  std::fill_n(to + channels * layout.channel, kMaxTileColumns, 0.0f);
}

void Conv2d::run_panel(const ConvCall& call, const Layout& layout, const float* input, int64_t image,
                       int64_t group, int64_t panel, int64_t first_tile, int64_t last_tile) const {
  int64_t depth = filter_.depth();
  int64_t first_column = panel * layout.panel;
  int64_t columns = std::min(layout.panel, layout.columns - first_column);

  // Which columns of the panel are outputs, and where they go.
  Segment segments[kMaxTileColumns];
  int segment_count = 0;
  int64_t row_width = layout.direct ? layout.width : call.out_w;
  for (int64_t j = first_column; j < first_column + columns;) {
    int64_t y = j / layout.width;
    int64_t x = j % layout.width;
    int64_t count = std::min(layout.width - x, first_column + columns - j);
    int64_t used = std::min(count, row_width - x);
    if (used > 0)
      segments[segment_count++] = {static_cast<int32_t>(j - first_column), static_cast<int32_t>(used),
                                   call.grid ? call.grid->at(y, x) : y * row_width + x};
    j += count;
  }

  const float* columns_of_group =
      input + (image * filter_.groups + group) * filter_.in_channels * layout.channel + first_column;
  TileArgs args;
  args.depth = depth;
  alignas(64) float sums[kMaxTileFloats + kMaxTileColumns];
  std::vector<float> last_columns;
  args.b = columns_of_group;
  if (layout.direct) {
    args.b_stride = layout.channel;
    // The input of the caller ends with its last column, and tiles read beyond: they get a copy of the end.
    int64_t width = int64_t{tiles_->vectors_for(1, columns)} * tiles_->lanes;
    bool at_end = image + 1 == call.images && group + 1 == filter_.groups;
    if (at_end && first_column + width > layout.columns) {
      last_columns.assign(static_cast<size_t>(depth * width), 0.0f);
      for (int64_t k = 0; k < depth; ++k)
        std::copy_n(columns_of_group + k * layout.channel, columns, last_columns.data() + k * width);
      args.b = last_columns.data();
      args.b_stride = width;
    }
  } else {
    args.b_offsets = layout.offsets;
  }

  const int64_t out_plane = call.out_plane();
  args.end.to = sums;
  Operands operands(call.operands.size());
  for (int64_t t = first_tile; t < last_tile; ++t) {
    int rows = rows_.rows(t);
    int vectors = tiles_->vectors_for(rows, columns);
    int64_t row = group * filter_.out_channels + rows_.begin(t);
    args.a = weights_.data() + row * packed_depth(depth);
    args.row_bias = bias_.empty() ? nullptr : bias_.data() + row;
    args.end.stride = int64_t{vectors} * tiles_->lanes;
    run_tile(tiles_->function(rows, vectors), args, rows, args.end.stride);
    int64_t out = (image * filter_.groups * filter_.out_channels + row) * out_plane;
    for (size_t i = 0; i < operands.size(); ++i) operands[i] = call.operands[i] + out;
    epilogue_.finish({sums, rows, args.end.stride, segments, segment_count, call.output + out, out_plane,
                      operands.data(), call.out_step()});
  }
}

bool Conv2d::run(const ConvCall& call, const Services& services) const {
  if (call.images * filter_.groups * filter_.out_channels * call.out_h * call.out_w == 0) return true;
  int max_rows = rows_.rows(0);
  Layout layout(filter_, call, *tiles_, max_rows);
  const float* input = call.input;
  if (!layout.direct) {
    if (!layout.make_offsets(filter_, services)) return false;
    float* padded = services.scratch_floats(layout.floats(filter_, call));
    copy_padded(call, layout, services, padded);
    input = padded;
  }
  int64_t tile_count = rows_.tiles;
  int64_t batches = call.images * filter_.groups;
  if (batches * layout.panels >= kManyPanels || layout.panels >= tile_count) {
    services.parallel_for(batches * layout.panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) {
        int64_t batch = unit / layout.panels;
        run_panel(call, layout, input, batch / filter_.groups, batch % filter_.groups, unit % layout.panels,
                  0, tile_count);
      }
    });
  } else {
    services.parallel_for(batches * tile_count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) {
        int64_t batch = unit / tile_count;
        int64_t tile = unit % tile_count;
        for (int64_t panel = 0; panel < layout.panels; ++panel)
          run_panel(call, layout, input, batch / filter_.groups, batch % filter_.groups, panel, tile,
                    tile + 1);
      }
    });
  }
  return true;
}

}  // namespace tenon::kernels
