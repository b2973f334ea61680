#include "kernels/conv/padded_input.h"

#include <algorithm>

namespace tenon::kernels {

namespace {

/// Planes whose distance is a multiple of this many floats fall on the same few sets of the caches.
constexpr int64_t kAliasFloats = 1024;
/// Rows that a thread copies at a time.
constexpr int64_t kCopyRows = 8;

/// Positions from the first tap of the first output to the last tap of the last one, both included; INT64_MAX
/// when there are more.
int64_t extent(int64_t outputs, int64_t stride, int64_t kernel, int64_t dilation) {
  int64_t steps = 0, taps = 0, sum = 0;
  if (__builtin_mul_overflow(outputs - 1, stride, &steps) ||
      __builtin_mul_overflow(kernel - 1, dilation, &taps) || __builtin_add_overflow(steps, taps, &sum) ||
      sum == INT64_MAX)
    return INT64_MAX;
  return sum + 1;
}

}  // namespace

PaddedInput::PaddedInput(const ConvFilter& filter, const ConvCall& call, int64_t element)
    : filter_(filter),
      images_(call.images),
      in_h_(call.in_h),
      in_w_(call.in_w),
      pad_top_(call.pad_top),
      pad_left_(call.pad_left),
      out_h_(call.out_h),
      out_w_(call.out_w),
      element_(element),
      rows_(extent(call.out_h, filter.stride_h, filter.kernel_h, filter.dilation_h)),
      width_(extent(call.out_w, filter.stride_w, filter.kernel_w, filter.dilation_w)) {
  direct_ = pad_top_ == 0 && pad_left_ == 0 && rows_ <= in_h_ && width_ <= in_w_;
  if (direct_) {
    rows_ = in_h_;
    width_ = in_w_;
  }
  flat_ = direct_ && filter.kernel_h == 1 && filter.kernel_w == 1 && filter.stride_h == 1 &&
          filter.stride_w == 1 && out_h_ == in_h_ && out_w_ == in_w_ && !call.grid;
  plane_ = saturated_product({rows_, width_, element_});
  if (!direct_ && plane_ % kAliasFloats == 0) plane_ += 16;
}

const int32_t* PaddedInput::offsets(int64_t planes, int64_t columns, const Services& services) const {
  if (plane_ > INT32_MAX / std::max<int64_t>(planes, 1)) return nullptr;
  auto* all = services.scratch_array<int32_t>(planes * filter_.kernel_h * columns);
  int32_t* to = all;
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int64_t ky = 0; ky < filter_.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < columns; ++kx) {
        const int64_t position = ky * filter_.dilation_h * width_ + kx * filter_.dilation_w;
        *to++ = static_cast<int32_t>(plane * plane_ + position * element_);
      }
    }
  }
  return all;
}

void PaddedInput::copy(const float* input, int64_t planes, const Services& services, float* to) const {
  // Columns [first, last) of a row lie inside the input.
  const int64_t first = std::clamp<int64_t>(pad_left_, 0, width_);
  const int64_t last = std::clamp(in_w_ + pad_left_, first, width_);
  services.parallel_for(images_ * planes * rows_, kCopyRows, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t plane = i / rows_, y = i % rows_ - pad_top_;
      float* row = to + plane * plane_ + i % rows_ * width_ * element_;
      if (y < 0 || y >= in_h_) {
        std::fill_n(row, width_ * element_, 0.0f);
        continue;
      }
      std::fill_n(row, first * element_, 0.0f);
      std::copy_n(input + ((plane * in_h_ + y) * in_w_ + first - pad_left_) * element_,
                  (last - first) * element_, row + first * element_);
      std::fill_n(row + last * element_, (width_ - last) * element_, 0.0f);
    }
  });
}

}  // namespace tenon::kernels
