#include "kernels/conv/transposed_few.h"

#include <algorithm>

#include "kernels/layout/blocked.h"

namespace tenon::kernels {

namespace {

/// Floats between the convolution and the output: some images at a time.
constexpr int64_t kBetweenFloats = 4 << 20;

/// Inputs of an axis that the outputs of some phase read.
int64_t window_of(int64_t kernel, int64_t stride) {
  return (kernel - 1) / stride + 1;
}

/// Group q of an axis has the outputs [q * stride - pad, (q + 1) * stride - pad), and reads the inputs q -
/// window + 1 to q.
struct Groups {
  int64_t first, count;
  Groups(int64_t stride, int64_t pad, int64_t outputs)
      : first(pad / stride), count((outputs - 1 + pad) / stride + 1 - first) {}
};

ConvFilter filter_of_phases(const ConvFilter& filter) {
  ConvFilter phases = filter;
  phases.out_channels *= filter.stride_h * filter.stride_w;
  phases.kernel_h = window_of(filter.kernel_h, filter.stride_h);
  phases.kernel_w = window_of(filter.kernel_w, filter.stride_w);
  phases.stride_h = phases.stride_w = 1;
  return phases;
}

}  // namespace

double TransposedFewConv::work(const ConvFilter& filter, int64_t lanes) {
  const ConvFilter phases = filter_of_phases(filter);
  const auto vectors = [&](int64_t channels) { return static_cast<double>(blocks_of(channels, lanes)); };
  return static_cast<double>(phases.kernel_h * phases.kernel_w) * vectors(phases.out_channels) /
         (static_cast<double>(filter.kernel_h * filter.kernel_w) * vectors(filter.out_channels));
}

TransposedFewConv::TransposedFewConv(const ConvFilter& filter, const ConvWeights& weights, Epilogue epilogue,
                                     Isa isa, Packing& packing)
    : filter_(filter), lanes_(block_lanes(isa)) {
  // Output channel (m, row phase, column phase).
  const ConvFilter phases = filter_of_phases(filter);
  std::vector<float> values;
  values.reserve(static_cast<size_t>(phases.out_channels * phases.depth()));
  std::vector<double> scales;
  std::vector<float> bias;
  for (int64_t out = 0; out < phases.out_channels; ++out) {
    const int64_t m = out / (filter.stride_h * filter.stride_w);
    const int64_t phase_y = out / filter.stride_w % filter.stride_h, phase_x = out % filter.stride_w;
    if (!weights.scales.empty()) scales.push_back(weights.scales[static_cast<size_t>(m)]);
    if (!weights.bias.empty()) bias.push_back(weights.bias[static_cast<size_t>(m)]);
    for (int64_t in = 0; in < filter.in_channels; ++in) {
      const float* from = weights.values + (in * filter.out_channels + m) * filter.kernel_h * filter.kernel_w;
      for (int64_t y = phases.kernel_h - 1; y >= 0; --y) {
        for (int64_t x = phases.kernel_w - 1; x >= 0; --x) {
          const int64_t tap_y = y * filter.stride_h + phase_y, tap_x = x * filter.stride_w + phase_x;
          values.push_back(
              tap_y < filter.kernel_h && tap_x < filter.kernel_w ? from[tap_y * filter.kernel_w + tap_x] : 0);
        }
      }
    }
  }
  conv_ = std::make_unique<BlockedConv>(phases, ConvWeights{values.data(), scales, bias}, false, std::nullopt,
                                        std::move(epilogue), isa, packing);
}

/// The way of the convolution's output into the call's.
struct TransposedFewConv::Moves {
  const TransposedFewConv& conv;
  const ConvCall& call;
  Groups rows, columns;
  int64_t blocks;
  const float* from;

  /// The outputs of row group `q` of an image.
  void move(int64_t image, int64_t q) const {
    const ConvFilter& filter = conv.filter_;
    for (int64_t m = 0; m < filter.out_channels; ++m) {
      for (int64_t phase = 0; phase < filter.stride_h; ++phase) {
        const int64_t y = (rows.first + q) * filter.stride_h + phase - call.pad_top;
        if (y < 0 || y >= call.out_h) continue;
        float* row = call.output + ((image * filter.out_channels + m) * call.out_h + y) * call.out_w;
        const int64_t channel = (m * filter.stride_h + phase) * filter.stride_w;
        switch (filter.stride_w) {
          case 2:
            move_row<2>(image, q, channel, row);
            break;
          case 4:
            move_row<4>(image, q, channel, row);
            break;
          default:
            move_row<0>(image, q, channel, row);
        }
      }
    }
  }

 private:
  /// A row of outputs, which begins with `channel`. `kStride`: that of columns, a divisor of the lanes; 0:
  /// any.
  template <int kStride>
  void move_row(int64_t image, int64_t q, int64_t channel, float* row) const {
    const int64_t stride = kStride > 0 ? kStride : conv.filter_.stride_w, lanes = conv.lanes_;
    const int64_t plane = rows.count * columns.count * lanes;
    const float* const first = from + image * blocks * plane + q * columns.count * lanes;
    const float* const pixels = first + channel / lanes * plane + channel % lanes;
    for (int64_t i = 0; i < columns.count; ++i) {
      const int64_t x = (columns.first + i) * stride - call.pad_left;
      if (kStride > 0 && x >= 0 && x + stride <= call.out_w) {
        std::copy_n(pixels + i * lanes, kStride, row + x);
        continue;
      }
      for (int64_t j = std::max<int64_t>(-x, 0); j < std::min(stride, call.out_w - x); ++j)
        row[x + j] = first[(channel + j) / lanes * plane + i * lanes + (channel + j) % lanes];
    }
  }
};

bool TransposedFewConv::run(const ConvCall& call, const Services& services) const {
  if (call.images * call.out_h * call.out_w == 0) return true;
  const ConvFilter phases = filter_of_phases(filter_);
  const Groups rows(filter_.stride_h, call.pad_top, call.out_h);
  const Groups columns(filter_.stride_w, call.pad_left, call.out_w);
  const int64_t blocks = blocks_of(phases.out_channels, lanes_);
  const int64_t image = saturated_product({blocks, rows.count, columns.count, lanes_});
  if (image > INT32_MAX) return false;
  const int64_t most = std::clamp<int64_t>(kBetweenFloats / image, 1, call.images);
  float* between = services.scratch_floats(most * image);
  const int64_t in_planes = blocks_of(filter_.in_channels, lanes_);
  ConvCall inner = call;
  inner.pad_top = phases.kernel_h - 1 - rows.first;
  inner.pad_left = phases.kernel_w - 1 - columns.first;
  inner.out_h = rows.count;
  inner.out_w = columns.count;
  inner.output = between;
  ConvCall outer = call;
  const Moves moves{*this, outer, rows, columns, blocks, between};
  for (int64_t first = 0; first < call.images; first += most) {
    inner.images = std::min(most, call.images - first);
    if (!conv_->run(inner, services)) return false;
    services.parallel_for(inner.images * rows.count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) moves.move(i / rows.count, i % rows.count);
    });
    inner.input += inner.images * in_planes * call.in_h * call.in_w * lanes_;
    outer.output += inner.images * filter_.out_channels * call.out_h * call.out_w;
  }
  return true;
}

}  // namespace tenon::kernels
