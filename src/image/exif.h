// The one EXIF tag that matters to a classifier: how the camera was held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tenon/image.h"

namespace tenon {

/// EXIF 2.32, tag 0x0112, by its numbers. Names say what must be done to the stored picture to see it
/// upright.
enum class Orientation : uint8_t {
  kNormal = 1,
  kMirrorHorizontally = 2,
  kRotate180 = 3,
  kMirrorVertically = 4,
  kTranspose = 5,
  kRotate90Clockwise = 6,
  kTransverse = 7,
  kRotate90Counterclockwise = 8,
};

/// The orientation in an EXIF block (a TIFF header and its first directory, with or without "Exif\0\0" before
/// them). kNormal when it is absent or the block is damaged: metadata never makes a picture unreadable.
Orientation exif_orientation(std::span<const std::byte> exif);

/// The picture turned upright. Returns `image` itself, moved, for kNormal.
Image apply_orientation(Image image, Orientation orientation);

}  // namespace tenon
