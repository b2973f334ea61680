#include "kernels/conv/padded_input.h"

#include <algorithm>

namespace tenon::kernels {

namespace {

/// Planes whose distance is a multiple of this many floats fall on the same few sets of the caches.
constexpr int64_t kAliasFloats = 1024;

/// ceil(a / b) for b > 0.
int64_t ceil_div(int64_t a, int64_t b) {
  return a > 0 ? (a + b - 1) / b : -(-a / b);
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
      element_(element) {
  direct_ = filter.kernel_h == 1 && filter.kernel_w == 1 && filter.stride_h == 1 && filter.stride_w == 1 &&
            pad_top_ == 0 && pad_left_ == 0 && out_h_ == in_h_ && out_w_ == in_w_;
  if (direct_) {
    width_ = in_h_ * in_w_;
    plane_ = width_ * element_;
    return;
  }
  phases_h_ = std::min(filter.stride_h, (filter.kernel_h - 1) * filter.dilation_h + 1);
  phases_w_ = std::min(filter.stride_w, (filter.kernel_w - 1) * filter.dilation_w + 1);
  rows_ = out_h_ + (filter.kernel_h - 1) * filter.dilation_h / filter.stride_h;
  width_ = out_w_ + (filter.kernel_w - 1) * filter.dilation_w / filter.stride_w;
  plane_ = saturated_product({phases_h_, phases_w_, rows_, width_, element_});
  if (plane_ % kAliasFloats == 0) plane_ += 16;
}

std::vector<int32_t> PaddedInput::offsets(int64_t planes) const {
  std::vector<int32_t> all;
  if (plane_ > INT32_MAX / std::max<int64_t>(planes, 1)) return all;
  all.reserve(static_cast<size_t>(planes * filter_.kernel_h * filter_.kernel_w));
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int64_t ky = 0; ky < filter_.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < filter_.kernel_w; ++kx) {
        const int64_t dy = ky * filter_.dilation_h, dx = kx * filter_.dilation_w;
        const int64_t phase = dy % filter_.stride_h * phases_w_ + dx % filter_.stride_w;
        const int64_t position = (phase * rows_ + dy / filter_.stride_h) * width_ + dx / filter_.stride_w;
        all.push_back(static_cast<int32_t>(plane * plane_ + position * element_));
      }
    }
  }
  return all;
}

void PaddedInput::copy(const float* input, int64_t planes, const Services& services, float* to) const {
  services.parallel_for(images_ * planes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) copy_plane(input + i * in_h_ * in_w_ * element_, to + i * plane_);
  });
}

void PaddedInput::copy_plane(const float* from, float* to) const {
  const auto zero = [&](float* row, int64_t first, int64_t last) {
    std::fill(row + first * element_, row + last * element_, 0.0f);
  };
  for (int64_t py = 0; py < phases_h_; ++py) {
    for (int64_t px = 0; px < phases_w_; ++px) {
      // Columns [first, last) of the phase lie inside the input.
      const int64_t x0 = px - pad_left_;
      const int64_t first = std::clamp<int64_t>(ceil_div(-x0, filter_.stride_w), 0, width_);
      const int64_t last = std::clamp<int64_t>(ceil_div(in_w_ - x0, filter_.stride_w), first, width_);
      for (int64_t r = 0; r < rows_; ++r, to += width_ * element_) {
        const int64_t y = r * filter_.stride_h + py - pad_top_;
        if (y < 0 || y >= in_h_) {
          zero(to, 0, width_);
          continue;
        }
        zero(to, 0, first);
        const float* source = from + (y * in_w_ + x0) * element_;
        if (filter_.stride_w == 1) {
          std::copy(source + first * element_, source + last * element_, to + first * element_);
        } else {
          for (int64_t x = first; x < last; ++x)
            std::copy_n(source + x * filter_.stride_w * element_, element_, to + x * element_);
        }
        zero(to, last, width_);
      }
    }
  }
}

}  // namespace tenon::kernels
