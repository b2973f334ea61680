#include <algorithm>
#include <cmath>

#include "image/resize.h"

namespace tenon {

namespace {

constexpr float kWeightOne = 2048.0F;

/// The two input pixels that make one output pixel along one axis, and their weights, which sum to 2048.
struct Pair {
  int64_t first = 0;
  int64_t second = 0;
  int32_t first_weight = 0;
  int32_t second_weight = 0;
};

/// Output pixels [begin, begin + count) of an axis resized from `in` to `out` pixels. OpenCV moves a position
/// outside the picture onto its edge across, but down keeps its weights and takes the edge row twice, which
/// rounds differently: `clamp_position` says which.
std::vector<Pair> make_axis(int64_t in, int64_t out, int64_t begin, int64_t count, bool clamp_position) {
  double scale = 1.0 / (static_cast<double>(out) / static_cast<double>(in));
  std::vector<Pair> axis(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    auto position = static_cast<float>((static_cast<double>(begin + i) + 0.5) * scale - 0.5);
    auto whole = static_cast<int64_t>(std::floor(position));
    float fraction = position - static_cast<float>(whole);
    if (clamp_position && (whole < 0 || whole >= in - 1)) {
      whole = std::clamp<int64_t>(whole, 0, in - 1);
      fraction = 0.0F;
    }
    Pair& pair = axis[static_cast<size_t>(i)];
    pair.first = std::clamp<int64_t>(whole, 0, in - 1);
    pair.second = std::clamp<int64_t>(whole + 1, 0, in - 1);
    pair.first_weight = static_cast<int32_t>(std::lrint((1.0F - fraction) * kWeightOne));
    pair.second_weight = static_cast<int32_t>(std::lrint(fraction * kWeightOne));
  }
  return axis;
}

void blend_across(const uint8_t* row, const std::vector<Pair>& axis, int32_t* out) {
  for (const Pair& pair : axis)
    for (int64_t c = 0; c < 3; ++c)
      *out++ = row[3 * pair.first + c] * pair.first_weight + row[3 * pair.second + c] * pair.second_weight;
}

}  // namespace

Image resize_opencv(const Image& image, int64_t width, int64_t height, const Region& wanted) {
  std::vector<Pair> across = make_axis(image.width, width, wanted.left, wanted.width, true);
  std::vector<Pair> down = make_axis(image.height, height, wanted.top, wanted.height, false);
  Image result;
  result.width = wanted.width;
  result.height = wanted.height;
  auto row_size = static_cast<size_t>(3 * wanted.width);
  result.pixels.resize(row_size * static_cast<size_t>(wanted.height));
  std::vector<int32_t> first(row_size);
  std::vector<int32_t> second(row_size);
  uint8_t* out = result.pixels.data();
  for (const Pair& pair : down) {
    blend_across(image.pixels.data() + 3 * pair.first * image.width, across, first.data());
    blend_across(image.pixels.data() + 3 * pair.second * image.width, across, second.data());
    for (size_t i = 0; i < row_size; ++i) {
      int32_t upper = pair.first_weight * (first[i] >> 4) >> 16;
      int32_t lower = pair.second_weight * (second[i] >> 4) >> 16;
      *out++ = static_cast<uint8_t>(std::clamp((upper + lower + 2) >> 2, 0, 255));
    }
  }
  return result;
}

}  // namespace tenon
