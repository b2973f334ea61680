#include "kernels/conv/transposed_conv.h"

#include <algorithm>
#include <numeric>

#include "base/thread_pool.h"
#include "kernels/conv/padded_input.h"
#include "kernels/layout/blocked.h"

namespace tenon::kernels {

namespace {

/// ceil(a / b) for b > 0.
int64_t ceil_div(int64_t a, int64_t b) {
  return a > 0 ? (a - 1) / b + 1 : -(-a / b);
}

/// Scratch memory of each thread for one phase after the other.
class PhaseScratch {
 public:
  explicit PhaseScratch(const Services& from)
      : from_(from), stacks_(from.scratch_array<Stack>(from.threads)) {
    std::fill_n(stacks_, from.threads, Stack{});
  }
  /// Services of a phase: what the one before took is free again.
  Services next() {
    for (int i = 0; i < from_.threads; ++i) stacks_[i].used = 0;
    return {from_.parallel_for, [this](size_t bytes) { return take((bytes + 63) / 64 * 64); }, from_.threads};
  }

 private:
  struct Stack {
    std::byte* memory = nullptr;
    size_t size = 0, used = 0;
  };

  std::byte* take(size_t bytes) {
    const int thread = ThreadPool::participant();
    if (thread >= from_.threads) return from_.scratch(bytes);
    Stack& stack = stacks_[thread];
    if (stack.used + bytes > stack.size) {
      const size_t size = std::max(2 * stack.size, bytes);
      stack = {from_.scratch(size), size, 0};
    }
    stack.used += bytes;
    return stack.memory + stack.used - bytes;
  }

  const Services& from_;
  Stack* stacks_;
};

/// The inputs [first, last) of an axis that some phase reads.
struct Span {
  int64_t first = 0, last = 0;
  bool is_empty = true;

  void add(int64_t begin, int64_t end) {
    first = is_empty ? begin : std::min(first, begin);
    last = is_empty ? end : std::max(last, end);
    is_empty = false;
  }
  int64_t size() const { return last - first; }
};

}  // namespace

/// One for each residue, those without taps included.
std::vector<TransposedConv::PhaseAxis> TransposedConv::phases_of(int64_t kernel, int64_t stride,
                                                                 int64_t dilation) {
  const int64_t common = std::gcd(stride, dilation);
  std::vector<PhaseAxis> phases;
  for (int64_t residue = 0; residue < stride; ++residue) {
    PhaseAxis phase{.residue = residue, .step = dilation / common, .tap_step = stride / common};
    // Tap k adds input i to output i * stride + k * dilation - pad.
    while (phase.first_tap < std::min(kernel, phase.tap_step) &&
           phase.first_tap * dilation % stride != residue)
      ++phase.first_tap;
    if (phase.first_tap < std::min(kernel, phase.tap_step)) {
      phase.taps = (kernel - 1 - phase.first_tap) / phase.tap_step + 1;
      phase.first = phase.first_tap * dilation / stride;
      phase.last = phase.first + (phase.taps - 1) * phase.step;
    }
    phases.push_back(phase);
  }
  return phases;
}

TransposedConv::Range TransposedConv::range_of(const PhaseAxis& phase, int64_t stride, int64_t pad,
                                               int64_t outputs) {
  const int64_t q = ceil_div(pad - phase.residue, stride);
  Range range{.begin = q * stride + phase.residue - pad, .start = q - phase.last};
  range.count = range.begin < outputs ? (outputs - 1 - range.begin) / stride + 1 : 0;
  return range;
}

TransposedConv::TransposedConv(const ConvFilter& filter, const ConvWeights& weights, int64_t lanes,
                               const MakePhase& make)
    : filter_(filter),
      lanes_(lanes),
      rows_(phases_of(filter.kernel_h, filter.stride_h, filter.dilation_h)),
      columns_(phases_of(filter.kernel_w, filter.stride_w, filter.dilation_w)) {
  const int64_t taps = filter.kernel_h * filter.kernel_w;
  for (size_t r = 0; r < rows_.size(); ++r) {
    for (size_t c = 0; c < columns_.size(); ++c) {
      const PhaseAxis &row = rows_[r], &column = columns_[c];
      ConvFilter part = filter;
      part.stride_h = part.stride_w = 1;
      part.dilation_h = row.step;
      part.dilation_w = column.step;
      part.kernel_h = row.taps;
      part.kernel_w = column.taps;
      if (row.taps * column.taps == 0) {
        if (bias_ == nullptr) {
          part = {.out_channels = filter.groups * filter.out_channels};
          const std::vector<float> zeros(static_cast<size_t>(part.out_channels), 0.0f);
          bias_ = make(part, {zeros.data(), {}, weights.bias});
        }
        phases_.push_back({r, c, nullptr});
        continue;
      }
      std::vector<float> values;
      values.reserve(static_cast<size_t>(part.groups * part.out_channels * part.depth()));
      for (int64_t out = 0; out < part.groups * part.out_channels; ++out) {
        const int64_t group = out / part.out_channels, m = out % part.out_channels;
        for (int64_t in = group * part.in_channels; in < (group + 1) * part.in_channels; ++in) {
          const float* from = weights.values + (in * part.out_channels + m) * taps;
          for (int64_t y = part.kernel_h - 1; y >= 0; --y)
            for (int64_t x = part.kernel_w - 1; x >= 0; --x)
              values.push_back(from[(row.first_tap + y * row.tap_step) * filter.kernel_w + column.first_tap +
                                    x * column.tap_step]);
        }
      }
      phases_.push_back({r, c, make(part, {values.data(), weights.scales, weights.bias})});
    }
  }
}

bool TransposedConv::run(const ConvCall& call, const Services& services) const {
  const auto ranges_of = [](const std::vector<PhaseAxis>& phases, int64_t stride, int64_t pad,
                            int64_t outputs, Span& read, const Services& memory) {
    Range* ranges = memory.scratch_array<Range>(static_cast<int64_t>(phases.size()));
    for (size_t i = 0; i < phases.size(); ++i) {
      ranges[i] = range_of(phases[i], stride, pad, outputs);
      if (ranges[i].count > 0 && phases[i].taps > 0)
        read.add(ranges[i].start, ranges[i].start + ranges[i].count + phases[i].last - phases[i].first);
    }
    return ranges;
  };
  Span read_h, read_w;
  const Range* rows = ranges_of(rows_, filter_.stride_h, call.pad_top, call.out_h, read_h, services);
  const Range* columns = ranges_of(columns_, filter_.stride_w, call.pad_left, call.out_w, read_w, services);

  // The input with zeros around it, when some phase reads beyond it.
  const int64_t planes = blocks_of(filter_.groups * filter_.in_channels, lanes_);
  ConvCall part = call;
  part.pad_top = part.pad_left = 0;
  const bool is_inside =
      read_h.first >= 0 && read_w.first >= 0 && read_h.last <= call.in_h && read_w.last <= call.in_w;
  if (is_inside) {
    read_h.first = read_w.first = 0;
  } else {
    // Of odd sizes, so that planes don't fall on the same sets of the caches.
    ConvCall whole = call;
    whole.pad_top = -read_h.first;
    whole.pad_left = -read_w.first;
    whole.out_h = part.in_h = read_h.size() | 1;
    whole.out_w = part.in_w = read_w.size() | 1;
    if (saturated_product({planes, part.in_h, part.in_w, lanes_}) > INT32_MAX) return false;
    const PaddedInput padded(ConvFilter{}, whole, lanes_);
    float* copy = services.scratch_floats(padded.floats(planes));
    padded.copy(call.input, planes, services, copy);
    part.input = copy;
  }

  const ConvCall base = part;
  PhaseScratch scratch(services);
  for (const Phase& phase : phases_) {
    const Range &row = rows[phase.row], &column = columns[phase.column];
    if (row.count * column.count == 0) continue;
    const Services phase_services = scratch.next();
    part = base;
    part.out_h = row.count;
    part.out_w = column.count;
    if (filter_.stride_h * filter_.stride_w > 1)
      part.grid = OutputGrid{filter_.stride_h, filter_.stride_w, call.out_h, call.out_w};
    const int64_t first = (row.begin * call.out_w + column.begin) * lanes_;
    part.output = call.output + first;
    for (const float*& operand : part.operands) operand += first;
    if (phase.conv == nullptr) {
      part.in_h = part.out_h;
      part.in_w = part.out_w;
      const int64_t floats = call.images * part.in_h * part.in_w * lanes_;  // no more than the output has
      float* zeros = phase_services.scratch_floats(floats);
      std::fill_n(zeros, floats, 0.0f);
      part.input = zeros;
    } else {
      part.input += ((row.start - read_h.first) * part.in_w + column.start - read_w.first) * lanes_;
    }
    const Convolution& conv = phase.conv != nullptr ? *phase.conv : *bias_;
    if (!conv.run(part, phase_services)) return false;
  }
  return true;
}

}  // namespace tenon::kernels
