// Resizing 8-bit RGB exactly as the libraries do that models are trained with. Only the wanted part of the
// resized picture is computed, so that memory follows the model's input and not the picture's shape.
#pragma once

#include <cstdint>
#include <vector>

#include "tenon/image.h"

namespace tenon {

/// A rectangle of pixels.
struct Region {
  int64_t left = 0;
  int64_t top = 0;
  int64_t width = 0;
  int64_t height = 0;
};

/// The part `wanted` of `image` resized to width × height (all positive, `wanted` inside it, `image` not
/// empty). A resize to the picture's own size gives its own bytes.
Image resize(const Image& image, int64_t width, int64_t height, Interpolation interpolation,
             const Region& wanted);

/// The part `wanted` of `image`, which may reach beyond it: pixels outside are zero.
Image crop(const Image& image, const Region& wanted);

/// resize for the two Pillow filters: ImagingResample, two passes over 8-bit pixels with 22-bit fixed-point
/// weights.
Image resize_pillow(const Image& image, int64_t width, int64_t height, Interpolation interpolation,
                    const Region& wanted);
/// resize for OpenCV's INTER_LINEAR on 8-bit pixels: 11-bit weights, the intermediate sums cut to 16 bits.
Image resize_opencv(const Image& image, int64_t width, int64_t height, const Region& wanted);

}  // namespace tenon
