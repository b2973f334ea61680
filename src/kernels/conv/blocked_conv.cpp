#include "kernels/conv/blocked_conv.h"

#include <algorithm>

#include "kernels/gemm/gemm.h"

namespace tenon::kernels {

namespace {

/// Output rows that a thread takes at a time.
constexpr int64_t kBandRows = 4;

int64_t blocks_of(int64_t channels, int64_t lanes) {
  return (channels + lanes - 1) / lanes;
}

}  // namespace

/// What all tiles of a call share.
struct BlockedConv::Running {
  const ConvCall& call;
  PaddedInput padded;
  std::vector<int32_t> offsets;
  const float* input = nullptr;
};

BlockedConv::BlockedConv(const ConvFilter& filter, const float* weights, const float* bias, bool planar,
                         Epilogue epilogue, Isa isa)
    : filter_(filter), planar_(planar), tiles_(&blocked_tile_set(isa)), epilogue_(std::move(epilogue)) {
  const int64_t channels = filter.groups * filter.out_channels;
  in_planes_ = planar ? filter.in_channels : blocks_of(filter.groups * filter.in_channels, tiles_->lanes);
  out_blocks_ = blocks_of(channels, tiles_->lanes);
  make_panels();
  for (const Panel& panel : panels_) pack(panel, weights);
  bias_ = VectorMemory::zeros(static_cast<size_t>(out_blocks_ * tiles_->lanes));
  if (bias != nullptr) std::copy_n(bias, channels, bias_.data());
}

/// Channels of an input plane: only the last block may have fewer than a vector.
int64_t BlockedConv::inner_of(int64_t plane) const {
  if (planar_) return 1;
  return std::min<int64_t>(tiles_->lanes, filter_.groups * filter_.in_channels - plane * tiles_->lanes);
}

void BlockedConv::make_panels() {
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
  weights_ = VectorMemory::zeros(static_cast<size_t>(floats));
}

void BlockedConv::pack(const Panel& panel, const float* weights) {
  const int64_t lanes = tiles_->lanes, taps = filter_.kernel_h * filter_.kernel_w;
  const int64_t element = planar_ ? 1 : lanes;
  float* to = weights_.data() + panel.weights;
  for (int64_t plane = panel.in_first; plane < panel.in_first + panel.in_planes; ++plane) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t i = 0; i < inner_of(plane); ++i) {
        const int64_t in = plane * element + i;
        for (int64_t j = 0; j < panel.blocks * lanes; ++j, ++to) {
          const int64_t out = panel.first * lanes + j;
          const int64_t group = in / filter_.in_channels;
          if (out >= filter_.groups * filter_.out_channels || out / filter_.out_channels != group) continue;
          *to = weights[(out * filter_.in_channels + in % filter_.in_channels) * taps + tap];
        }
      }
    }
  }
}

/// All terms of a tile: in blocks of kSumBlock, added in ascending order.
void BlockedConv::sum(const Running& running, const Panel& panel, const float* input, int pixels,
                      float* sums) const {
  const int64_t lanes = tiles_->lanes, taps = filter_.kernel_h * filter_.kernel_w;
  const auto& set = planar_ ? tiles_->planar : tiles_->blocked;
  const BlockedTile tile = set[pixels - 1][panel.blocks - 1];
  BlockedTileArgs args;
  args.weights = weights_.data() + panel.weights;
  args.input = input + panel.in_first * running.padded.plane();
  args.bias = bias_.data() + panel.first * lanes;
  args.sums = sums;
  const int64_t last_inner = inner_of(panel.in_first + panel.in_planes - 1);
  const int64_t full = inner_of(panel.in_first);
  const int64_t whole_planes = last_inner == full ? panel.in_planes : panel.in_planes - 1;
  const int64_t steps = panel.in_planes * taps;
  for (int64_t s = 0; s < steps; s += args.steps) {
    const bool whole = s < whole_planes * taps;
    args.inner = whole ? full : last_inner;
    args.offsets = running.offsets.data() + s;
    args.steps =
        std::min(std::max<int64_t>(kSumBlock / args.inner, 1), (whole ? whole_planes * taps : steps) - s);
    tile(args);
    args.weights += args.steps * args.inner * panel.blocks * lanes;
    args.bias = nullptr;
    args.add = true;
  }
}

void BlockedConv::compute_row(const Running& running, const Panel& panel, int64_t image, int64_t row) const {
  const int64_t lanes = tiles_->lanes;
  const int64_t element = planar_ ? 1 : lanes;
  const int64_t width = running.padded.out_width();
  const int64_t tiles = (width + tiles_->max_pixels - 1) / tiles_->max_pixels;
  const int64_t out_plane = running.call.out_h * running.call.out_w * lanes;
  const int64_t out = (image * out_blocks_ + panel.first) * out_plane;
  const float* input =
      running.input + image * in_planes_ * running.padded.plane() + row * running.padded.row();
  alignas(64) float sums[kBlockedTileFloats];
  const float* operands[kEpilogueOperandsMax];
  for (size_t i = 0; i < running.call.operands.size(); ++i) operands[i] = running.call.operands[i] + out;
  int64_t x = 0;
  for (int64_t t = 0; t < tiles; ++t) {
    const auto pixels = static_cast<int>(width / tiles + (t < width % tiles ? 1 : 0));
    sum(running, panel, input + x * element, pixels, sums);
    const Segment segment{0, static_cast<int32_t>(pixels * lanes), (row * width + x) * lanes};
    epilogue_.finish({sums, static_cast<int>(panel.blocks), pixels * lanes, &segment, 1,
                      running.call.output + out, out_plane, operands});
    x += pixels;
  }
}

bool BlockedConv::run(const ConvCall& call, const Services& services) const {
  if (call.images * out_blocks_ * call.out_h * call.out_w == 0) return true;
  Running running{call, PaddedInput(filter_, call, planar_ ? 1 : tiles_->lanes), {}, call.input};
  running.offsets = running.padded.offsets(in_planes_);
  if (running.offsets.empty()) return false;
  if (!running.padded.direct()) {
    float* copy = services.scratch_floats(running.padded.floats(in_planes_));
    running.padded.copy(call.input, in_planes_, services, copy);
    running.input = copy;
  }
  const int64_t rows = running.padded.out_rows();
  const int64_t bands = (rows + kBandRows - 1) / kBandRows;
  const auto panels = static_cast<int64_t>(panels_.size());
  services.parallel_for(call.images * panels * bands, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Panel& panel = panels_[static_cast<size_t>(i / bands % panels)];
      const int64_t first = i % bands * kBandRows;
      for (int64_t row = first; row < std::min(rows, first + kBandRows); ++row)
        compute_row(running, panel, i / bands / panels, row);
    }
  });
  return true;
}

DepthwiseConv::DepthwiseConv(const ConvFilter& filter, const float* weights, const float* bias,
                             Epilogue epilogue, Isa isa)
    : filter_(filter),
      lanes_(blocked_tile_set(isa).lanes),
      blocks_(blocks_of(filter.groups, lanes_)),
      tile_(depthwise_tile(isa)),
      epilogue_(std::move(epilogue)),
      weights_(
          VectorMemory::zeros(static_cast<size_t>(blocks_ * lanes_ * filter.kernel_h * filter.kernel_w))),
      bias_(VectorMemory::zeros(static_cast<size_t>(blocks_ * lanes_))) {
  const int64_t taps = filter.kernel_h * filter.kernel_w;
  for (int64_t c = 0; c < filter.groups; ++c)
    for (int64_t tap = 0; tap < taps; ++tap)
      weights_.data()[(c / lanes_ * taps + tap) * lanes_ + c % lanes_] = weights[c * taps + tap];
  if (bias != nullptr) std::copy_n(bias, filter.groups, bias_.data());
}

bool DepthwiseConv::run(const ConvCall& call, const Services& services) const {
  constexpr int64_t kStrip = 64;  // pixels whose sums stay in the nearest cache
  if (call.images * blocks_ * call.out_h * call.out_w == 0) return true;
  const PaddedInput padded(filter_, call, lanes_);
  const std::vector<int32_t> offsets = padded.offsets(1);
  if (offsets.empty()) return false;
  const float* input = call.input;
  if (!padded.direct()) {
    float* copy = services.scratch_floats(padded.floats(blocks_));
    padded.copy(call.input, blocks_, services, copy);
    input = copy;
  }
  const int64_t rows = padded.out_rows(), width = padded.out_width();
  const int64_t taps = filter_.kernel_h * filter_.kernel_w;
  const int64_t out_plane = call.out_h * call.out_w * lanes_;
  services.parallel_for(call.images * blocks_ * rows, kBandRows, [&](int64_t begin, int64_t end) {
    alignas(64) float sums[kStrip * 16];
    const float* operands[kEpilogueOperandsMax];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t plane = i / rows, row = i % rows, block = plane % blocks_;
      for (size_t o = 0; o < call.operands.size(); ++o) operands[o] = call.operands[o] + plane * out_plane;
      DepthwiseArgs args;
      args.weights = weights_.data() + block * taps * lanes_;
      args.bias = bias_.data() + block * lanes_;
      args.offsets = offsets.data();
      args.steps = taps;
      args.sums = sums;
      for (int64_t x = 0; x < width; x += kStrip) {
        args.pixels = std::min(kStrip, width - x);
        args.input = input + plane * padded.plane() + row * padded.row() + x * lanes_;
        tile_(args);
        const Segment segment{0, static_cast<int32_t>(args.pixels * lanes_), (row * width + x) * lanes_};
        epilogue_.finish({sums, 1, args.pixels * lanes_, &segment, 1, call.output + plane * out_plane,
                          out_plane, operands});
      }
    }
  });
  return true;
}

}  // namespace tenon::kernels
