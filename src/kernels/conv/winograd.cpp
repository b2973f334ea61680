#include "kernels/conv/winograd.h"

#include <algorithm>

#include "kernels/gemm/blocking.h"

namespace tenon::kernels {

namespace {

/// Channels that are summed in one chain. The output transform makes the rounding errors of these sums
/// several times larger, so they are kept smaller than those of a direct sum: blocks of 256 would give 1.5
/// to 1.8 times the error.
constexpr int64_t kChannelBlock = 32;
constexpr int64_t kMaxLanes = 16;
constexpr int64_t kMaxOutput = 6;  // m
constexpr int64_t kMaxPositions = (kMaxOutput + 2) * (kMaxOutput + 2);
/// Tiles that read the filters together, where there are so many.
constexpr int64_t kBandTilesMin = 56;
/// Bands that wait for each other's transforms, for each thread: more of them take memory and go one by one.
constexpr int64_t kSharedBandsMax = 4;
/// Tiles whose outputs are brought to be written while others before them are transformed.
constexpr int64_t kWrittenAhead = 2;

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

/// Vectors from one position to the next where each has so many: an odd number, or else what the transforms
/// read and write of a tile, a vector of each position, falls on a few sets of the caches.
int64_t position_vectors(int64_t vectors) {
  return vectors | 1;
}

/// The upper left output of a tile.
struct WinogradConv::Place {
  int64_t image, y, x;
};

/// Some tiles of a call on their way. Tiles are numbered through all images, row by row.
struct WinogradConv::Band {
  const ConvCall& call;
  int64_t tile_rows, tile_columns;  // of an image
  int64_t first, count;             // tiles
  float* inputs;                    // [position][in block][tile][lane]

  Place place(int64_t tile, int m) const {
    const int64_t i = first + tile;
    return {i / (tile_rows * tile_columns), i / tile_columns % tile_rows * m, i % tile_columns * m};
  }
  /// Moves to the next tile.
  void advance(Place& place, int m) const {
    place.x += m;
    if (place.x < tile_columns * m) return;
    place.x = 0;
    place.y += m;
    if (place.y < tile_rows * m) return;
    place.y = 0;
    ++place.image;
  }
};

/// Panels [first, last).
struct WinogradConv::Panels {
  int64_t first, last;
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
  float taps[9], transformed[kMaxPositions];
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

int64_t WinogradConv::blocks_of(int64_t panel) const {
  return std::min<int64_t>(BlockedTileSet::kMaxBlocks, out_blocks_ - panel * BlockedTileSet::kMaxBlocks);
}

int64_t WinogradConv::position_of_weights(int64_t position, int64_t panel) const {
  return (position * out_blocks_ + panel * BlockedTileSet::kMaxBlocks) * filter_.in_channels * tiles_->lanes;
}

/// Where the sums of a panel's position lie among those of `panels`: [position][panel].
int64_t WinogradConv::sums_of(const Band& band, const Panels& panels, int64_t position, int64_t panel) const {
  const auto block_of = [&](int64_t p) { return std::min(p * BlockedTileSet::kMaxBlocks, out_blocks_); };
  const int64_t first = block_of(panels.first), blocks = block_of(panels.last) - first;
  return (position * position_vectors(blocks * band.count) + (block_of(panel) - first) * band.count) *
         tiles_->lanes;
}

/// Transforms the band's tiles of one block of input channels.
void WinogradConv::transform_inputs(const Band& band, int64_t block) const {
  const ConvCall& call = band.call;
  const int64_t lanes = tiles_->lanes, size = m_ + 2, row = call.in_w * lanes;
  const int64_t position = position_vectors(in_blocks_ * band.count) * lanes;
  float* to = band.inputs + block * band.count * lanes;
  Place place = band.place(0, m_);
  for (int64_t t = 0; t < band.count; ++t, to += lanes, band.advance(place, m_)) {
    const int64_t y = place.y - call.pad_top, x = place.x - call.pad_left;
    const float* plane = call.input + (place.image * in_blocks_ + block) * call.in_h * row;
    if (y >= 0 && x >= 0 && y + size <= call.in_h && x + size <= call.in_w)
      transforms_->input(plane + y * row + x * lanes, row, to, position);
    else
      transforms_->border({plane, row, call.in_h, call.in_w}, y, x, to, position);
  }
}

/// The products of the band's tiles with the filters of some panels, at all positions. In a panel's sums of a
/// position, register tiles lie one after the other, each [block of the panel][tile][lane].
void WinogradConv::multiply(const Band& band, const Panels& panels, float* sums) const {
  const int64_t lanes = tiles_->lanes;
  const RowTiles groups(band.count, tiles_->max_pixels);
  // Distances between the vectors of a block's channels.
  int32_t offsets[kChannelBlock];
  for (int64_t i = 0; i < kChannelBlock / lanes; ++i)
    offsets[i] = static_cast<int32_t>(i * band.count * lanes);
  BlockedTileArgs args;
  args.distance = lanes;
  args.offsets = offsets;
  for (int64_t position = 0; position < positions_; ++position) {
    for (int64_t panel = panels.first; panel < panels.last; ++panel) {
      const int64_t blocks = blocks_of(panel), rest = filter_.out_channels % lanes;
      const bool is_half = panel == panels_ - 1 && rest > 0 && 2 * rest <= lanes;
      float* to = sums + sums_of(band, panels, position, panel);
      for (int64_t g = 0; g < groups.tiles; g += args.count) {
        const int64_t pixels = groups.rows(g), first = groups.begin(g) * lanes;
        args.count = groups.alike(g);
        args.weights = weights_.data() + position_of_weights(position, panel);
        args.input = band.inputs + position * position_vectors(in_blocks_ * band.count) * lanes + first;
        args.input_step = pixels * lanes;
        args.end = {.to = to + first * blocks, .stride = pixels * lanes};
        args.to_step = pixels * blocks * lanes;
        args.out = {args.end.to, args.count * args.to_step};
        for (int64_t c = 0; c < filter_.in_channels; c += args.steps * args.inner) {
          const int64_t left = filter_.in_channels - c;
          args.inner = std::min(lanes, left);
          args.steps = std::min(kChannelBlock, left) / args.inner;
          tiles_->tile(pixels, blocks, lanes, args.inner, is_half)(args);
          args.weights += args.steps * args.inner * blocks * lanes;
          args.input += args.steps * band.count * lanes;
          args.end.partial = args.end.to;
        }
      }
    }
  }
}

/// Brings the outputs of a tile to be written.
void WinogradConv::bring_outputs(const ConvCall& call, const Place& place, int64_t block) const {
  const int64_t lanes = tiles_->lanes;
  const float* plane = call.output + (place.image * out_blocks_ + block) * call.out_h * call.out_w * lanes;
  const int64_t last = std::min<int64_t>(place.y + m_, call.out_h);
  for (int64_t y = place.y; y < last; ++y)
    for (int64_t x = place.x; x < place.x + m_; ++x)
      __builtin_prefetch(plane + (y * call.out_w + x) * lanes, 1, 3);
}

/// Transforms the products of a panel back, and ends them.
void WinogradConv::transform_outputs(const Band& band, const Panels& panels, int64_t panel,
                                     const float* sums) const {
  const ConvCall& call = band.call;
  const int64_t lanes = tiles_->lanes, row = call.out_w * lanes, blocks = blocks_of(panel);
  const RowTiles groups(band.count, tiles_->max_pixels);
  sums += sums_of(band, panels, 0, panel);
  const int64_t position = sums_of(band, panels, 1, panel) - sums_of(band, panels, 0, panel);
  alignas(64) float results[kMaxOutput * kMaxOutput * kMaxLanes];
  const float* operands[kEpilogueOperandsMax];
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t block = BlockedTileSet::kMaxBlocks * panel + b;
    Place place = band.place(0, m_), later = band.place(kWrittenAhead, m_);
    for (int64_t g = 0; g < groups.tiles; ++g) {
      const int64_t count = groups.rows(g), first = groups.begin(g);
      const float* from = sums + (first * blocks + b * count) * lanes;
      for (int64_t t = 0; t < count; ++t, band.advance(place, m_), band.advance(later, m_)) {
        if (first + t + kWrittenAhead < band.count) bring_outputs(call, later, block);
        const int64_t plane = (place.image * out_blocks_ + block) * call.out_h * row;
        const int64_t at = place.y * row + place.x * lanes;
        const int64_t rows = std::min<int64_t>(m_, call.out_h - place.y),
                      columns = std::min<int64_t>(m_, call.out_w - place.x);
        const float* bias = bias_.data() + block * lanes;
        if (const auto end = epilogue_.tile_end(call.output, plane + at, row, call.operands)) {
          transforms_->output(from + t * lanes, position, bias, *end, rows, columns);
          continue;
        }
        transforms_->output(from + t * lanes, position, bias, {.to = results, .stride = m_ * lanes}, m_, m_);
        for (size_t o = 0; o < call.operands.size(); ++o) operands[o] = call.operands[o] + plane;
        const Segment segment{0, static_cast<int32_t>(columns * lanes), at};
        epilogue_.finish(
            {results, static_cast<int>(rows), m_ * lanes, &segment, 1, call.output + plane, row, operands});
      }
    }
  }
}

/// Some panels from the input's transforms to the output; `sums` has room for a group of them.
void WinogradConv::compute(const Band& band, Panels panels, int64_t group, float* sums) const {
  for (const int64_t end = panels.last; panels.first < end; panels.first = panels.last) {
    panels.last = std::min(end, panels.first + group);
    multiply(band, panels, sums);
    for (int64_t panel = panels.first; panel < panels.last; ++panel)
      transform_outputs(band, panels, panel, sums);
  }
}

bool WinogradConv::run(const ConvCall& call, const Services& services) const {
  const int64_t tile_rows = ceil_div(call.out_h, m_), tile_columns = ceil_div(call.out_w, m_);
  const int64_t total = call.images * tile_rows * tile_columns;
  if (total == 0) return true;
  const int64_t lanes = tiles_->lanes, cache = second_cache_bytes() / static_cast<int64_t>(sizeof(float));
  const RowTiles groups(total, tiles_->max_pixels);
  const int64_t tile_inputs = positions_ * in_blocks_ * lanes;
  const int64_t group_inputs = std::min(tile_inputs, cache / 4 / kBandTilesMin) * tiles_->max_pixels;
  const Blocking blocking(1, groups.tiles, panels_, group_inputs, 0, services.threads);
  const int64_t band_tiles = blocking.max_tiles() * tiles_->max_pixels;
  if (in_blocks_ * band_tiles * lanes > INT32_MAX) return false;
  const auto band_of = [&](int64_t b, float* inputs) {
    const int64_t first = groups.begin(blocking.first_tile(b));
    return Band{call,  tile_rows, tile_columns, first, groups.begin(blocking.first_tile(b + 1)) - first,
                inputs};
  };
  const int64_t most = std::min(band_tiles, total);  // of a band
  const int64_t band_inputs = positions_ * position_vectors(in_blocks_ * most) * lanes;
  const int64_t panel_sums = positions_ * position_vectors(most * BlockedTileSet::kMaxBlocks) * lanes;
  const int64_t group = std::clamp<int64_t>(cache / panel_sums, 1, panels_);
  if (blocking.bands % services.threads == 0 || blocking.bands > kSharedBandsMax * services.threads) {
    // Each thread takes bands of its own from the input to the output.
    services.parallel_for(blocking.bands, 1, [&](int64_t begin, int64_t end) {
      float* inputs = services.scratch_floats(band_inputs);
      float* sums = services.scratch_floats(panel_sums * group);
      for (int64_t b = begin; b < end; ++b) {
        const Band band = band_of(b, inputs);
        for (int64_t block = 0; block < in_blocks_; ++block) transform_inputs(band, block);
        compute(band, {0, panels_}, group, sums);
      }
    });
    return true;
  }
  // Threads share bands: each transforms some blocks of channels and computes some panels.
  float* inputs = services.scratch_floats(band_inputs * blocking.bands);
  const auto shared_band = [&](int64_t b) { return band_of(b, inputs + band_inputs * b); };
  services.parallel_for(blocking.bands * in_blocks_, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) transform_inputs(shared_band(i / in_blocks_), i % in_blocks_);
  });
  services.parallel_for(blocking.bands * panels_, 1, [&](int64_t begin, int64_t end) {
    float* sums = services.scratch_floats(panel_sums * group);
    for (int64_t i = begin, count = 0; i < end; i += count) {
      const int64_t first = i % panels_;
      count = std::min(panels_ - first, end - i);
      compute(shared_band(i / panels_), {first, first + count}, group, sums);
    }
  });
  return true;
}

}  // namespace tenon::kernels
