#include "image/resize.h"

#include <algorithm>

namespace tenon {

Image crop(const Image& image, const Region& wanted) {
  Image result;
  result.width = wanted.width;
  result.height = wanted.height;
  result.pixels.resize(static_cast<size_t>(3 * wanted.width * wanted.height));
  int64_t first = std::max<int64_t>(0, -wanted.left);
  int64_t last = std::min(wanted.width, image.width - wanted.left);
  for (int64_t y = 0; y < wanted.height; ++y) {
    int64_t from_y = wanted.top + y;
    if (from_y < 0 || from_y >= image.height || first >= last) continue;
    const uint8_t* from = image.pixels.data() + 3 * (from_y * image.width + wanted.left + first);
    std::copy_n(from, 3 * (last - first), result.pixels.data() + 3 * (y * wanted.width + first));
  }
  return result;
}

Image resize(const Image& image, int64_t width, int64_t height, Interpolation interpolation,
             const Region& wanted) {
  if (width == image.width && height == image.height) return crop(image, wanted);
  if (interpolation == Interpolation::kOpenCvLinear) return resize_opencv(image, width, height, wanted);
  return resize_pillow(image, width, height, interpolation, wanted);
}

}  // namespace tenon
