#include "kernels/conv/winograd.h"

#include <algorithm>

namespace tenon::kernels {

namespace {

/// Transformed inputs and outputs of a chunk of tiles should stay near the second cache, whose size this many
/// times is the most, and the filters should be read for many tiles at a time.
constexpr int64_t kChunkCaches = 2;
constexpr int64_t kChunkTilesMin = 112;
/// Channels that are summed in one chain. The output transform makes the rounding errors of these sums
/// several times larger, so they are kept smaller than those of a direct sum: blocks of 256 would give 1.5
/// to 1.8 times the error.
constexpr int64_t kChannelBlock = 32;
/// Tiles that a thread transforms at a time.
constexpr int64_t kTransformTiles = 8;
constexpr int64_t kMaxPatchFloats = 6 * 6 * 16;

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

/// Some tiles of a call on their way. Tiles are numbered through all images, row by row.
struct WinogradConv::Chunk {
  const ConvCall& call;
  int64_t tile_rows, tile_columns;  // of an image
  int64_t first, count;             // tiles
  float* inputs;                    // [position][in block][tile][lane]
  float* outputs;                   // [position][panel][block of the panel][tile][lane]

  struct Place {
    int64_t image, y, x;  // of the upper left output
  };
  Place place(int64_t tile, int m) const {
    const int64_t i = first + tile;
    return {i / (tile_rows * tile_columns), i / tile_columns % tile_rows * m, i % tile_columns * m};
  }
};

WinogradConv::WinogradConv(const ConvFilter& filter, const ConvWeights& weights, int m, Epilogue epilogue,
                           Isa isa, Packing& packing)
    : filter_(filter),
      m_(m),
      positions_((m + 2) * (m + 2)),
      tiles_(&blocked_tile_set(isa)),
      transforms_(&winograd_transforms(m, isa)),
      epilogue_(std::move(epilogue)),
      in_blocks_(ceil_div(filter.in_channels, tiles_->lanes)),
      out_blocks_(ceil_div(filter.out_channels, tiles_->lanes)),
      panels_(ceil_div(out_blocks_, BlockedTileSet::kMaxBlocks)),
      weights_(
          packing.pack(static_cast<size_t>(positions_ * filter.in_channels * out_blocks_ * tiles_->lanes),
                       [&](float* to) { pack(weights, to); })),
      bias_(weights.padded_bias(out_blocks_ * tiles_->lanes)) {}

void WinogradConv::pack(const ConvWeights& weights, float* to) const {
  const int64_t lanes = tiles_->lanes;
  float taps[9], transformed[36];
  for (int64_t o = 0; o < filter_.out_channels; ++o) {
    const int64_t panel = o / (2 * lanes), blocks = std::min<int64_t>(2, out_blocks_ - 2 * panel);
    for (int64_t i = 0; i < filter_.in_channels; ++i) {
      for (int64_t k = 0; k < 9; ++k) taps[k] = weights.at(o, (o * filter_.in_channels + i) * 9 + k);
      winograd_filter(m_, taps, transformed);
      for (int64_t p = 0; p < positions_; ++p)
        to[position_of_weights(p, panel) + i * blocks * lanes + o % (2 * lanes)] = transformed[p];
    }
  }
}

int64_t WinogradConv::position_of_weights(int64_t position, int64_t panel) const {
  return (position * out_blocks_ + panel * BlockedTileSet::kMaxBlocks) * filter_.in_channels * tiles_->lanes;
}

void WinogradConv::transform_inputs(const Chunk& chunk, const Services& services) const {
  const ConvCall& call = chunk.call;
  const int64_t lanes = tiles_->lanes, size = m_ + 2, row = call.in_w * lanes;
  const int64_t groups = ceil_div(chunk.count, kTransformTiles);
  const int64_t position = in_blocks_ * chunk.count * lanes;
  services.parallel_for(in_blocks_ * groups, 1, [&](int64_t begin, int64_t end) {
    alignas(64) float patch[kMaxPatchFloats];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t block = i / groups, first = i % groups * kTransformTiles;
      for (int64_t t = first; t < std::min(chunk.count, first + kTransformTiles); ++t) {
        const Chunk::Place place = chunk.place(t, m_);
        const int64_t y0 = place.y - call.pad_top, x0 = place.x - call.pad_left;
        const float* plane = call.input + (place.image * in_blocks_ + block) * call.in_h * row;
        float* to = chunk.inputs + (block * chunk.count + t) * lanes;
        if (y0 >= 0 && x0 >= 0 && y0 + size <= call.in_h && x0 + size <= call.in_w) {
          transforms_->input(plane + y0 * row + x0 * lanes, row, to, position);
          continue;
        }
        std::fill_n(patch, size * size * lanes, 0.0f);
        const int64_t left = std::max<int64_t>(0, -x0), right = std::min(size, call.in_w - x0);
        for (int64_t y = std::max<int64_t>(0, -y0); y < std::min(size, call.in_h - y0) && left < right; ++y)
          std::copy_n(plane + (y0 + y) * row + (x0 + left) * lanes, (right - left) * lanes,
                      patch + (y * size + left) * lanes);
        transforms_->input(patch, size * lanes, to, position);
      }
    }
  });
}

void WinogradConv::multiply(const Chunk& chunk, const Services& services) const {
  const int64_t lanes = tiles_->lanes;
  auto* offsets = services.scratch_array<int32_t>(in_blocks_);
  for (int64_t block = 0; block < in_blocks_; ++block)
    offsets[block] = static_cast<int32_t>(block * chunk.count * lanes);
  services.parallel_for(positions_ * panels_, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t position = i / panels_, panel = i % panels_;
      const int64_t blocks = std::min<int64_t>(2, out_blocks_ - 2 * panel);
      // A group of tiles after the other, each [block of the panel][tile][lane].
      float* out = chunk.outputs + (position * out_blocks_ + 2 * panel) * chunk.count * lanes;
      const RowTiles groups(chunk.count, tiles_->max_pixels);
      BlockedTileArgs args;
      args.distance = lanes;
      for (int64_t g = 0; g < groups.tiles; g += args.count) {
        const int64_t pixels = groups.rows(g), first = groups.begin(g) * lanes;
        args.count = groups.alike(g);
        args.weights = weights_.data() + position_of_weights(position, panel);
        args.input = chunk.inputs + position * in_blocks_ * chunk.count * lanes + first;
        args.input_step = pixels * lanes;
        args.end = {.to = out + first * blocks, .stride = pixels * lanes};
        args.to_step = pixels * blocks * lanes;
        for (int64_t c = 0; c < filter_.in_channels; c += args.steps * args.inner) {
          const int64_t left = filter_.in_channels - c;
          args.inner = std::min(lanes, left);
          args.steps = std::min(kChannelBlock, left) / args.inner;
          args.offsets = offsets + c / lanes;
          tiles_->tile(pixels, blocks, lanes, args.inner)(args);
          args.weights += args.steps * args.inner * blocks * lanes;
          args.end.partial = args.end.to;
        }
      }
    }
  });
}

void WinogradConv::transform_outputs(const Chunk& chunk, const Services& services) const {
  const ConvCall& call = chunk.call;
  const int64_t lanes = tiles_->lanes, row = call.out_w * lanes;
  const RowTiles groups(chunk.count, tiles_->max_pixels);
  const int64_t position = out_blocks_ * chunk.count * lanes;
  services.parallel_for(out_blocks_ * groups.tiles, 1, [&](int64_t begin, int64_t end) {
    alignas(64) float results[4 * 4 * 16];
    const float* operands[kEpilogueOperandsMax];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t block = i / groups.tiles, g = i % groups.tiles, panel = block / 2;
      const int64_t blocks = std::min<int64_t>(2, out_blocks_ - 2 * panel);
      // The products of a group of tiles lie as [block of the panel][tile][lane].
      const int64_t count = groups.rows(g), first = groups.begin(g);
      const float* from = chunk.outputs + 2 * panel * chunk.count * lanes + first * blocks * lanes +
                          block % 2 * count * lanes;
      for (int64_t t = 0; t < count; ++t) {
        transforms_->output(from + t * lanes, position, bias_.data() + block * lanes, results);
        const Chunk::Place place = chunk.place(first + t, m_);
        const int64_t plane = (place.image * out_blocks_ + block) * call.out_h * row;
        for (size_t o = 0; o < call.operands.size(); ++o) operands[o] = call.operands[o] + plane;
        const auto columns = static_cast<int32_t>(std::min<int64_t>(m_, call.out_w - place.x) * lanes);
        const Segment segment{0, columns, place.y * row + place.x * lanes};
        const auto rows = static_cast<int>(std::min<int64_t>(m_, call.out_h - place.y));
        epilogue_.finish({results, rows, m_ * lanes, &segment, 1, call.output + plane, row, operands});
      }
    }
  });
}

bool WinogradConv::run(const ConvCall& call, const Services& services) const {
  const int64_t tile_rows = ceil_div(call.out_h, m_), tile_columns = ceil_div(call.out_w, m_);
  const int64_t total = call.images * tile_rows * tile_columns;
  if (total == 0) return true;
  const int64_t tile_floats = positions_ * (in_blocks_ + out_blocks_) * tiles_->lanes;
  const int64_t chunk_floats = kChunkCaches * second_cache_bytes() / static_cast<int64_t>(sizeof(float));
  const int64_t most = std::min(total, std::max(chunk_floats / tile_floats, kChunkTilesMin));
  if (in_blocks_ * most * tiles_->lanes > INT32_MAX) return false;
  const int64_t chunks = ceil_div(total, most);
  float* memory = services.scratch_floats(tile_floats * ceil_div(total, chunks));
  for (int64_t c = 0; c < chunks; ++c) {
    const int64_t first = total * c / chunks, count = total * (c + 1) / chunks - first;
    const Chunk chunk{call,
                      tile_rows,
                      tile_columns,
                      first,
                      count,
                      memory,
                      memory + positions_ * in_blocks_ * tiles_->lanes * count};
    transform_inputs(chunk, services);
    multiply(chunk, services);
    transform_outputs(chunk, services);
  }
  return true;
}

}  // namespace tenon::kernels
