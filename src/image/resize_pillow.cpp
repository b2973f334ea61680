#include <algorithm>
#include <cmath>

#include "image/resize.h"

namespace tenon {

namespace {

/// Bits behind the binary point of a weight: sums of 8-bit pixels times weights stay inside 32 bits.
constexpr int kWeightBits = 32 - 8 - 2;

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

/// Keys' cubic with a = -0.5.
double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * kA;
  return 0.0;
}

struct Filter {
  double (*weight)(double);
  double support;  // the weight is zero beyond this distance, at scale 1
};

Filter filter_of(Interpolation interpolation) {
  if (interpolation == Interpolation::kPillowBicubic) return {bicubic, 2.0};
  return {bilinear, 1.0};
}

/// The input pixels that make one output pixel along one axis.
struct Taps {
  int64_t first = 0;
  size_t count = 0;
  size_t weights = 0;  // index of the first weight
};

struct Axis {
  std::vector<Taps> taps;
  std::vector<int32_t> weights;
  int64_t first_input = 0;
  int64_t end_input = 0;
};

/// Weights for output pixels [begin, begin + count) of an axis resized from `in` to `out` pixels. When
/// shrinking, the filter is stretched over the input pixels that an output pixel covers: that is the
/// antialiasing.
Axis make_axis(int64_t in, int64_t out, int64_t begin, int64_t count, const Filter& filter) {
  double scale = static_cast<double>(in) / static_cast<double>(out);
  double stretch = std::max(scale, 1.0);
  double support = filter.support * stretch;
  double inverse_stretch = 1.0 / stretch;
  Axis axis;
  axis.first_input = in;
  std::vector<double> exact;
  for (int64_t i = begin; i < begin + count; ++i) {
    double centre = (static_cast<double>(i) + 0.5) * scale;
    auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    auto end = std::min<int64_t>(in, static_cast<int64_t>(centre + support + 0.5));
    exact.clear();
    double sum = 0.0;
    for (int64_t x = first; x < end; ++x) {
      exact.push_back(filter.weight((static_cast<double>(x) - centre + 0.5) * inverse_stretch));
      sum += exact.back();
    }
    axis.taps.push_back({first, exact.size(), axis.weights.size()});
    for (double weight : exact) {
      double fixed = (sum == 0.0 ? weight : weight / sum) * (1 << kWeightBits);
      axis.weights.push_back(static_cast<int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
    axis.first_input = std::min(axis.first_input, first);
    axis.end_input = std::max(axis.end_input, end);
  }
  return axis;
}

uint8_t to_pixel(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

/// One output pixel: taps `stride` bytes apart.
void blend(const uint8_t* in, size_t stride, const Taps& taps, const int32_t* weights, uint8_t* out) {
  int32_t sums[3] = {1 << (kWeightBits - 1), 1 << (kWeightBits - 1), 1 << (kWeightBits - 1)};
  for (size_t t = 0; t < taps.count; ++t, in += stride)
    for (size_t c = 0; c < 3; ++c) sums[c] += in[c] * weights[t];
  for (size_t c = 0; c < 3; ++c) out[c] = to_pixel(sums[c]);
}

/// The pixel where a pass begins to read, and the bytes from one row to the next.
struct Source {
  const uint8_t* pixels;
  size_t row_bytes;
};

/// Output columns of `axis` from `rows` rows. `in` begins at input column `left`.
void pass_across(Source in, int64_t left, int64_t rows, const Axis& axis, uint8_t* out) {
  for (int64_t y = 0; y < rows; ++y, in.pixels += in.row_bytes) {
    for (const Taps& taps : axis.taps) {
      blend(in.pixels + 3 * (taps.first - left), 3, taps, axis.weights.data() + taps.weights, out);
      out += 3;
    }
  }
}

/// Output rows of `axis` from `columns` columns. `in` begins at input row `top`.
void pass_down(Source in, int64_t top, int64_t columns, const Axis& axis, uint8_t* out) {
  for (const Taps& taps : axis.taps) {
    const uint8_t* row = in.pixels + static_cast<size_t>(taps.first - top) * in.row_bytes;
    for (int64_t x = 0; x < columns; ++x, row += 3, out += 3)
      blend(row, in.row_bytes, taps, axis.weights.data() + taps.weights, out);
  }
}

/// Which pass comes first shows in the result, since the pixels between them are rounded and clamped. This is
/// the rule of Pillow 13, found by experiment; earlier versions always begin across.
bool begins_down(const Image& image, int64_t width, int64_t height) {
  return height < image.height && image.height - height > 2 * (image.width - width);
}

}  // namespace

Image resize_pillow(const Image& image, int64_t width, int64_t height, Interpolation interpolation,
                    const Region& wanted) {
  Filter filter = filter_of(interpolation);
  Axis across = make_axis(image.width, width, wanted.left, wanted.width, filter);
  Axis down = make_axis(image.height, height, wanted.top, wanted.height, filter);
  int64_t columns = across.end_input - across.first_input;
  int64_t rows = down.end_input - down.first_input;
  auto row_bytes = static_cast<size_t>(3 * image.width);
  const uint8_t* corner = image.pixels.data() + static_cast<size_t>(down.first_input) * row_bytes;

  Image result;
  result.width = wanted.width;
  result.height = wanted.height;
  result.pixels.resize(static_cast<size_t>(3 * wanted.width * wanted.height));
  uint8_t* out = result.pixels.data();
  if (begins_down(image, width, height)) {
    std::vector<uint8_t> between(static_cast<size_t>(3 * columns * wanted.height));
    pass_down({corner + 3 * across.first_input, row_bytes}, down.first_input, columns, down, between.data());
    pass_across({between.data(), static_cast<size_t>(3 * columns)}, across.first_input, wanted.height, across,
                out);
  } else {
    std::vector<uint8_t> between(static_cast<size_t>(3 * wanted.width * rows));
    pass_across({corner, row_bytes}, 0, rows, across, between.data());
    pass_down({between.data(), static_cast<size_t>(3 * wanted.width)}, down.first_input, wanted.width, down,
              out);
  }
  return result;
}

}  // namespace tenon
