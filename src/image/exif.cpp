#include "image/exif.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace tenon {

namespace {

/// Integers of a TIFF file in its byte order; reads outside it give 0.
class TiffReader {
 public:
  TiffReader(std::span<const std::byte> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  uint32_t read(size_t offset, size_t width) const {
    if (offset > bytes_.size() || bytes_.size() - offset < width) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < width; ++i) {
      size_t at = big_endian_ ? i : width - 1 - i;
      value = value << 8 | std::to_integer<uint32_t>(bytes_[offset + at]);
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool big_endian_;
};

bool starts_with(std::span<const std::byte> bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

}  // namespace

Orientation exif_orientation(std::span<const std::byte> exif) {
  constexpr std::string_view kPrefix{"Exif\0\0", 6};
  constexpr uint32_t kOrientationTag = 0x0112;
  constexpr uint32_t kShort = 3;
  if (starts_with(exif, kPrefix)) exif = exif.subspan(kPrefix.size());
  bool big_endian = starts_with(exif, "MM");
  if (!big_endian && !starts_with(exif, "II")) return Orientation::kNormal;
  TiffReader tiff(exif, big_endian);
  if (tiff.read(2, 2) != 42) return Orientation::kNormal;
  size_t directory = tiff.read(4, 4);
  size_t entries = tiff.read(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    size_t entry = directory + 2 + 12 * i;
    if (entry >= exif.size()) break;
    if (tiff.read(entry, 2) != kOrientationTag || tiff.read(entry + 2, 2) != kShort) continue;
    uint32_t value = tiff.read(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<Orientation>(value) : Orientation::kNormal;
  }
  return Orientation::kNormal;
}

Image apply_orientation(Image image, Orientation orientation) {
  if (orientation == Orientation::kNormal) return image;
  bool swap_axes = orientation >= Orientation::kTranspose;
  Image upright;
  upright.width = swap_axes ? image.height : image.width;
  upright.height = swap_axes ? image.width : image.height;
  upright.pixels.resize(image.pixels.size());
  // Whether the stored picture is read backwards along its own x and y.
  bool flip_x = orientation == Orientation::kMirrorHorizontally || orientation == Orientation::kRotate180 ||
                orientation == Orientation::kTransverse ||
                orientation == Orientation::kRotate90Counterclockwise;
  bool flip_y = orientation == Orientation::kMirrorVertically || orientation == Orientation::kRotate180 ||
                orientation == Orientation::kTransverse || orientation == Orientation::kRotate90Clockwise;
  uint8_t* out = upright.pixels.data();
  for (int64_t y = 0; y < upright.height; ++y) {
    for (int64_t x = 0; x < upright.width; ++x, out += 3) {
      int64_t from_x = swap_axes ? y : x;
      int64_t from_y = swap_axes ? x : y;
      if (flip_x) from_x = image.width - 1 - from_x;
      if (flip_y) from_y = image.height - 1 - from_y;
      std::copy_n(image.pixels.data() + 3 * (from_y * image.width + from_x), 3, out);
    }
  }
  return upright;
}

}  // namespace tenon
