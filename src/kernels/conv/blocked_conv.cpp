#include "kernels/conv/blocked_conv.h"

#include <algorithm>

#include "kernels/gemm/gemm.h"

namespace tenon::kernels {

namespace {

int64_t blocks_of(int64_t channels, int64_t lanes) {
  return (channels + lanes - 1) / lanes;
}

}  // namespace

/// What all tiles of a call share.
struct BlockedConv::Running {
  const ConvCall& call;
  PaddedInput padded;
  const int32_t* offsets = nullptr;
  const float* input = nullptr;
  int64_t tiles = 1;  // of a row of the output
};

BlockedConv::BlockedConv(const ConvFilter& filter, const ConvWeights& weights, bool planar, Epilogue epilogue,
                         Isa isa, Packing& packing)
    : filter_(filter), planar_(planar), tiles_(&blocked_tile_set(isa)), epilogue_(std::move(epilogue)) {
  const int64_t channels = filter.groups * filter.out_channels;
  in_planes_ = planar ? filter.in_channels : blocks_of(filter.groups * filter.in_channels, tiles_->lanes);
  out_blocks_ = blocks_of(channels, tiles_->lanes);
  const int64_t floats = make_panels();
  weights_ = packing.pack(static_cast<size_t>(floats), [&](float* to) {
    for (const Panel& panel : panels_) pack(panel, weights, to + panel.weights);
  });
  bias_ = weights.padded_bias(out_blocks_ * tiles_->lanes);
}

/// Channels of an input plane: only the last block may have fewer than a vector.
int64_t BlockedConv::inner_of(int64_t plane) const {
  if (planar_) return 1;
  return std::min<int64_t>(tiles_->lanes, filter_.groups * filter_.in_channels - plane * tiles_->lanes);
}

/// Returns how many floats the weights of all panels are.
int64_t BlockedConv::make_panels() {
  const int64_t lanes = tiles_->lanes, channels = filter_.groups * filter_.out_channels;
  // The planes that the channels of an output block read: those of all groups that the block has a part of.
  const auto range_of = [&](int64_t block) {
    if (filter_.groups == 1) return std::pair<int64_t, int64_t>{0, in_planes_};
    const int64_t last = std::min(channels, (block + 1) * lanes) - 1;
    const int64_t first_in = block * lanes / filter_.out_channels * filter_.in_channels;
    const int64_t last_in = (last / filter_.out_channels + 1) * filter_.in_channels;
    return std::pair<int64_t, int64_t>{first_in / lanes, blocks_of(last_in, lanes)};
  };
  int64_t floats = 0;
  for (int64_t block = 0; block < out_blocks_;) {
    const auto range = range_of(block);
    Panel panel{block, 1, range.first, range.second - range.first, floats};
    if (block + 1 < out_blocks_ && range_of(block + 1) == range) panel.blocks = 2;
    int64_t depth = 0;
    for (int64_t i = 0; i < panel.in_planes; ++i) depth += inner_of(panel.in_first + i);
    floats += depth * filter_.kernel_h * filter_.kernel_w * panel.blocks * lanes;
    block += panel.blocks;
    panels_.push_back(panel);
  }
  return floats;
}

void BlockedConv::pack(const Panel& panel, const ConvWeights& weights, float* to) const {
  const int64_t lanes = tiles_->lanes, taps = filter_.kernel_h * filter_.kernel_w;
  const int64_t element = planar_ ? 1 : lanes;
  for (int64_t plane = panel.in_first; plane < panel.in_first + panel.in_planes; ++plane) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t i = 0; i < inner_of(plane); ++i) {
        const int64_t in = plane * element + i;
        for (int64_t j = 0; j < panel.blocks * lanes; ++j, ++to) {
          const int64_t out = panel.first * lanes + j;
          const int64_t group = in / filter_.in_channels;
          if (out >= filter_.groups * filter_.out_channels || out / filter_.out_channels != group) continue;
          *to = weights.at(out, (out * filter_.in_channels + in % filter_.in_channels) * taps + tap);
        }
      }
    }
  }
}

/// All terms of a tile: in blocks of kSumBlock, added in ascending order. `args` come with the input of the
/// panel's first plane and with the way out.
void BlockedConv::sum(const Running& running, const Panel& panel, int64_t pixels,
                      BlockedTileArgs& args) const {
  const int64_t lanes = tiles_->lanes, taps = filter_.kernel_h * filter_.kernel_w;
  const BlockedTile tile = tiles_->tile(pixels, panel.blocks, args.distance);
  const int64_t last_inner = inner_of(panel.in_first + panel.in_planes - 1);
  const int64_t full = inner_of(panel.in_first);
  const int64_t whole = (last_inner == full ? panel.in_planes : panel.in_planes - 1) * taps;
  const int64_t steps = panel.in_planes * taps;
  alignas(64) float partial[kBlockedTileFloats];
  BlockedTileArgs part = args;
  part.weights = weights_.data() + panel.weights;
  part.start = bias_.data() + panel.first * lanes;
  for (int64_t s = 0; s < steps; s += part.steps) {
    part.inner = s < whole ? full : last_inner;
    part.offsets = running.offsets + s;
    part.steps = std::min(std::max<int64_t>(kSumBlock / part.inner, 1), (s < whole ? whole : steps) - s);
    part.end = s + part.steps == steps ? args.end : TileEnd{.to = partial, .stride = pixels * lanes};
    part.end.partial = s > 0 ? partial : nullptr;
    tile(part);
    part.weights += part.steps * part.inner * panel.blocks * lanes;
    part.start = nullptr;
  }
}

void BlockedConv::compute(const Running& running, const Panel& panel, int64_t image, int64_t row,
                          int64_t tile) const {
  const ConvCall& call = running.call;
  const int64_t lanes = tiles_->lanes, width = running.padded.out_width();
  const int64_t share = width / running.tiles, longer = width % running.tiles;
  const int64_t pixels = share + (tile < longer ? 1 : 0), x = tile * share + std::min(tile, longer);
  const int64_t out_plane = call.out_h * call.out_w * lanes;
  const int64_t plane = (image * out_blocks_ + panel.first) * out_plane, at = (row * width + x) * lanes;
  BlockedTileArgs args;
  args.distance = running.padded.distance();
  args.input = running.input + (image * in_planes_ + panel.in_first) * running.padded.plane() +
               row * running.padded.row() + x * args.distance;
  alignas(64) float sums[kBlockedTileFloats];
  const auto end = epilogue_.tile_end(call.output, plane + at, out_plane, call.operands);
  args.end = end ? *end : TileEnd{.to = sums, .stride = pixels * lanes};
  sum(running, panel, pixels, args);
  if (end) return;
  const float* operands[kEpilogueOperandsMax];
  for (size_t i = 0; i < call.operands.size(); ++i) operands[i] = call.operands[i] + plane;
  const Segment segment{0, static_cast<int32_t>(pixels * lanes), at};
  epilogue_.finish({sums, static_cast<int>(panel.blocks), pixels * lanes, &segment, 1, call.output + plane,
                    out_plane, operands});
}

bool BlockedConv::run(const ConvCall& call, const Services& services) const {
  if (call.images * out_blocks_ * call.out_h * call.out_w == 0) return true;
  Running running{call, PaddedInput(filter_, call, planar_ ? 1 : tiles_->lanes), nullptr, call.input};
  running.offsets = running.padded.offsets(in_planes_, services);
  if (running.offsets == nullptr) return false;
  if (!running.padded.direct()) {
    float* copy = services.scratch_floats(running.padded.floats(in_planes_));
    running.padded.copy(call.input, in_planes_, services, copy);
    running.input = copy;
  }
  const int64_t rows = running.padded.out_rows();
  const int64_t tiles = blocks_of(running.padded.out_width(), tiles_->max_pixels);
  running.tiles = tiles;
  const auto panels = static_cast<int64_t>(panels_.size());
  services.parallel_for(call.images * panels * rows * tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t tile = i % tiles, row = i / tiles % rows, panel = i / tiles / rows % panels;
      compute(running, panels_[static_cast<size_t>(panel)], i / tiles / rows / panels, row, tile);
    }
  });
  return true;
}

}  // namespace tenon::kernels
