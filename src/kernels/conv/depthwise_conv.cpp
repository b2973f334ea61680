#include "kernels/conv/depthwise_conv.h"

#include <algorithm>

#include "kernels/layout/blocked.h"

namespace tenon::kernels {

namespace {

/// Output rows that a thread takes at a time.
constexpr int64_t kBandRows = 4;
/// Pixels whose sums stay in the nearest cache.
constexpr int64_t kStrip = 64;

/// The taps of outputs at `position` that lie inside an input of `size`.
DepthwiseColumns taps_inside(int64_t position, int64_t size, int64_t kernel, int64_t dilation) {
  DepthwiseColumns taps;
  taps.first = position >= 0 ? 0 : std::min(kernel, (-position - 1) / dilation + 1);
  taps.last =
      position >= size ? taps.first : std::clamp((size - 1 - position) / dilation + 1, taps.first, kernel);
  return taps.first == taps.last ? DepthwiseColumns{} : taps;
}

}  // namespace

bool DepthwiseConv::takes(const ConvFilter& filter, Isa isa) {
  if (filter.groups == 1 || filter.in_channels != filter.out_channels) return false;
  if (filter.in_channels == 1) return true;
  const int64_t lanes = block_lanes(isa);
  return filter.in_channels < lanes && lanes % filter.in_channels == 0 && filter.depth() <= kSumBlock;
}

DepthwiseConv::DepthwiseConv(const ConvFilter& filter, const ConvWeights& weights, Epilogue epilogue, Isa isa,
                             Packing& packing)
    : filter_(filter),
      lanes_(block_lanes(isa)),
      blocks_((filter.groups * filter.in_channels + lanes_ - 1) / lanes_),
      tiles_(&depthwise_tiles(isa)),
      epilogue_(std::move(epilogue)),
      bias_(weights.padded_bias(blocks_ * lanes_)) {
  const int64_t taps = filter.kernel_h * filter.kernel_w, inputs = filter.in_channels;
  weights_ = packing.pack(static_cast<size_t>(blocks_ * lanes_ * taps * inputs), [&](float* to) {
    for (int64_t c = 0; c < filter.groups * inputs; ++c)
      for (int64_t i = 0; i < inputs; ++i)
        for (int64_t tap = 0; tap < taps; ++tap) {
          const int64_t y = tap / filter.kernel_w, x = tap % filter.kernel_w;
          to[((((c / lanes_) * filter.kernel_h + y) * inputs + i) * filter.kernel_w + x) * lanes_ +
             c % lanes_] = weights.at(c, (c * inputs + i) * taps + tap);
        }
  });
  for (int64_t i = 0; i < inputs; ++i)
    for (int64_t lane = 0; lane < lanes_; ++lane)
      inputs_.push_back(static_cast<int32_t>(lane / inputs * inputs + i));
}

/// The rows of the filter that lie inside the input, for outputs of row `y`.
DepthwiseColumns DepthwiseConv::tap_rows(const ConvCall& call, int64_t y) const {
  return taps_inside(y * filter_.stride_h - call.pad_top, call.in_h, filter_.kernel_h, filter_.dilation_h);
}

/// Of the sums of kStrip pixels and of a row; 0 where the epilogue ends the tiles.
int64_t DepthwiseConv::strip_floats(const Running& running) const {
  return running.is_direct ? 0 : std::max(running.call.out_w, kStrip) * lanes_;
}

/// Output rows [first, last) of a plane. `strip` has strip_floats().
void DepthwiseConv::compute(const Running& running, int64_t plane, const Plane& from, int64_t first,
                            int64_t last, float* strip) const {
  const ConvCall& call = running.call;
  const int64_t block = plane % blocks_;
  const int64_t out_plane = plane * call.out_plane() * lanes_;
  DepthwiseArgs args = running.args;
  args.start = bias_.data() + block * lanes_;
  const int64_t most = call.grid           ? 1
                       : running.is_direct ? last - first
                                           : std::max<int64_t>(kStrip / call.out_w, 1);
  const float* operands[kEpilogueOperandsMax];
  for (size_t o = 0; o < call.operands.size(); ++o) operands[o] = call.operands[o] + out_plane;
  for (int64_t y = first; y < last; y += args.rows) {
    const DepthwiseColumns rows = tap_rows(call, y);
    // Rows of outputs that have the same rows of taps go together.
    for (args.rows = 1; args.rows < std::min(most, last - y); ++args.rows) {
      const DepthwiseColumns next = tap_rows(call, y + args.rows);
      if (next.first != rows.first || next.last != rows.last) break;
    }
    args.tap_rows = rows.last - rows.first;
    args.weights = weights_.data() + (block * filter_.kernel_h + rows.first) * args.weights_row;
    const int64_t in_y = y * filter_.stride_h - call.pad_top + rows.first * filter_.dilation_h;
    args.input = from.input;
    if (args.tap_rows > 0) args.input += (in_y - from.first) * call.in_w * lanes_;
    const int64_t out = (call.grid ? call.grid->at(y, 0) : y * call.out_w) * lanes_;
    const int64_t count = args.rows * call.out_w * lanes_;
    args.end = running.is_direct ? *epilogue_.tile_end(call.output, out_plane + out, 0, call.operands)
                                 : TileEnd{.to = strip};
    running.tile(args);
    if (running.is_direct) continue;
    const Segment segment{0, static_cast<int32_t>(count), out};
    epilogue_.finish(
        {strip, 1, count, &segment, 1, call.output + out_plane, 0, operands, call.out_step(), lanes_});
  }
}

DepthwiseConv::Running DepthwiseConv::make_running(const ConvCall& call, const Services& services) const {
  Running running{call,
                  call.out_step() == 1 && epilogue_.tile_end(call.output, 0, 0, call.operands).has_value()};
  DepthwiseArgs& args = running.args;
  args.weights_row = filter_.in_channels * filter_.kernel_w * lanes_;
  args.inputs = filter_.in_channels;
  args.lanes = inputs_.data();
  args.input_row = filter_.dilation_h * call.in_w * lanes_;
  args.next_row = filter_.stride_h * call.in_w * lanes_;
  args.tap = filter_.dilation_w * lanes_;
  args.distance = filter_.stride_w * lanes_;
  args.left = call.pad_left * lanes_;
  args.columns = filter_.kernel_w;
  args.width = call.out_w;
  running.tile =
      tiles_->near_tile(filter_.kernel_w, filter_.dilation_w, filter_.stride_w, filter_.in_channels);
  args.before = call.pad_left;
  const int64_t last = (call.out_w - 1) * filter_.stride_w - call.pad_left;  // where its window begins
  args.after = std::max<int64_t>(last + filter_.kernel_w - call.in_w, 0);
  const RowTiles parts(call.out_w, tiles_->near_pixels);
  const int64_t last_part = parts.tiles - 1;
  // The parts between begin and end inside of the input.
  const bool is_inside = parts.tiles <= 1 || (args.before <= parts.begin(1) * filter_.stride_w &&
                                              args.after <= parts.rows(last_part) * filter_.stride_w);
  if (running.tile != nullptr && args.before < filter_.kernel_w && args.after < filter_.kernel_w && is_inside)
    return running;
  running.tile = tiles_->any_tile(filter_.in_channels);
  auto* border = services.scratch_array<DepthwiseColumns>(call.out_w);
  for (int64_t x = 0; x < call.out_w; ++x)
    border[x] =
        taps_inside(x * filter_.stride_w - call.pad_left, call.in_w, filter_.kernel_w, filter_.dilation_w);
  const auto is_whole = [&](int64_t x) { return border[x].last - border[x].first == filter_.kernel_w; };
  while (args.inner_first < call.out_w && !is_whole(args.inner_first)) ++args.inner_first;
  args.inner_last = call.out_w;
  while (args.inner_last > args.inner_first && !is_whole(args.inner_last - 1)) --args.inner_last;
  args.border = border;
  return running;
}

bool DepthwiseConv::run(const ConvCall& call, const Services& services) const {
  if (call.images * blocks_ * call.out_h * call.out_w == 0) return true;
  const Running running = make_running(call, services);
  services.parallel_for(call.images * blocks_ * call.out_h, kBandRows, [&](int64_t begin, int64_t end) {
    float* strip = running.is_direct ? nullptr : services.scratch_floats(strip_floats(running));
    while (begin < end) {
      const int64_t plane = begin / call.out_h, first = begin % call.out_h;
      const int64_t last = std::min(call.out_h, first + (end - begin));
      compute(running, plane, {call.input + plane * call.in_h * call.in_w * lanes_, 0}, first, last, strip);
      begin += last - first;
    }
  });
  return true;
}

}  // namespace tenon::kernels
