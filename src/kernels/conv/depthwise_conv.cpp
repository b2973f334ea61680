#include "kernels/conv/depthwise_conv.h"

#include <algorithm>

#include "kernels/layout/blocked.h"

namespace tenon::kernels {

namespace {

/// Output rows that a thread takes at a time.
constexpr int64_t kBandRows = 4;
/// Pixels whose sums stay in the nearest cache.
constexpr int64_t kStrip = 64;
constexpr int64_t kMaxLanes = 16;

/// The taps of outputs at `position`, [first, last), that lie inside an input of `size`.
struct Taps {
  int64_t first, last;
  Taps(int64_t position, int64_t size, int64_t kernel, int64_t dilation) {
    first = position >= 0 ? 0 : std::min(kernel, (-position - 1) / dilation + 1);
    last = position >= size ? first : std::clamp((size - 1 - position) / dilation + 1, first, kernel);
    if (first == last) first = last = 0;
  }
};

}  // namespace

/// One row of one plane of the output.
struct DepthwiseConv::Row {
  const ConvCall& call;
  int64_t plane, y;  // y: of the output
  Taps taps;         // rows of the filter
};

DepthwiseConv::DepthwiseConv(const ConvFilter& filter, const ConvWeights& weights, Epilogue epilogue, Isa isa,
                             Packing& packing)
    : filter_(filter),
      lanes_(block_lanes(isa)),
      blocks_((filter.groups + lanes_ - 1) / lanes_),
      tiles_(&depthwise_tiles(isa)),
      epilogue_(std::move(epilogue)),
      bias_(weights.padded_bias(blocks_ * lanes_)) {
  const int64_t taps = filter.kernel_h * filter.kernel_w;
  weights_ = packing.pack(static_cast<size_t>(blocks_ * lanes_ * taps), [&](float* to) {
    for (int64_t c = 0; c < filter.groups; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        to[(c / lanes_ * taps + tap) * lanes_ + c % lanes_] = weights.at(c, c * taps + tap);
  });
}

/// Pixels [first, last) of a row, which have columns [first_tap, last_tap) of the filter inside the input.
void DepthwiseConv::compute(const Row& row, int64_t first, int64_t last, int64_t first_tap,
                            int64_t last_tap) const {
  const ConvCall& call = row.call;
  const int64_t block = row.plane % blocks_, taps = filter_.kernel_h * filter_.kernel_w;
  const int64_t out_plane = row.plane * call.out_h * call.out_w * lanes_;
  const int64_t in_y = row.y * filter_.stride_h - call.pad_top + row.taps.first * filter_.dilation_h;
  DepthwiseArgs args;
  args.weights = weights_.data() + (block * taps + row.taps.first * filter_.kernel_w + first_tap) * lanes_;
  args.weights_row = filter_.kernel_w * lanes_;
  args.input_row = filter_.dilation_h * call.in_w * lanes_;
  args.tap = filter_.dilation_w * lanes_;
  args.distance = filter_.stride_w * lanes_;
  args.rows = row.taps.last - row.taps.first;
  args.columns = last_tap - first_tap;
  args.start = bias_.data() + block * lanes_;
  const DepthwiseTile tile = tiles_->tile(args.columns, filter_.dilation_w, filter_.stride_w);
  alignas(64) float sums[kStrip * kMaxLanes];
  const float* operands[kEpilogueOperandsMax];
  for (size_t o = 0; o < call.operands.size(); ++o) operands[o] = call.operands[o] + out_plane;
  for (int64_t x = first; x < last; x += args.pixels) {
    const int64_t in_x = x * filter_.stride_w - call.pad_left + first_tap * filter_.dilation_w;
    const int64_t out = (row.y * call.out_w + x) * lanes_;
    if (args.rows * args.columns > 0)
      args.input = call.input + ((row.plane * call.in_h + in_y) * call.in_w + in_x) * lanes_;
    args.pixels = last - x;
    const auto end = epilogue_.tile_end(call.output, out_plane + out, 0, call.operands);
    if (!end) args.pixels = std::min(args.pixels, kStrip);
    args.end = end ? *end : TileEnd{.to = sums};
    tile(args);
    if (end) continue;
    const Segment segment{0, static_cast<int32_t>(args.pixels * lanes_), out};
    epilogue_.finish({sums, 1, args.pixels * lanes_, &segment, 1, call.output + out_plane, 0, operands});
  }
}

bool DepthwiseConv::run(const ConvCall& call, const Services& services) const {
  if (call.images * blocks_ * call.out_h * call.out_w == 0) return true;
  // Pixels before `inner_first` and from `inner_last` on have fewer columns of taps.
  const auto columns = [&](int64_t x) {
    return Taps(x * filter_.stride_w - call.pad_left, call.in_w, filter_.kernel_w, filter_.dilation_w);
  };
  const auto is_whole = [&](int64_t x) {
    const Taps taps = columns(x);
    return taps.last - taps.first == filter_.kernel_w;
  };
  int64_t inner_first = 0;
  while (inner_first < call.out_w && !is_whole(inner_first)) ++inner_first;
  int64_t inner_last = call.out_w;
  while (inner_last > inner_first && !is_whole(inner_last - 1)) --inner_last;
  services.parallel_for(call.images * blocks_ * call.out_h, kBandRows, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t y = i % call.out_h;
      const Row row{
          call, i / call.out_h, y,
          Taps(y * filter_.stride_h - call.pad_top, call.in_h, filter_.kernel_h, filter_.dilation_h)};
      const auto border = [&](int64_t from, int64_t to) {
        for (int64_t x = from; x < to; ++x) compute(row, x, x + 1, columns(x).first, columns(x).last);
      };
      border(0, inner_first);
      compute(row, inner_first, inner_last, 0, filter_.kernel_w);
      border(inner_last, call.out_w);
    }
  });
  return true;
}

}  // namespace tenon::kernels
