// The decoders, one file each, behind decode_image. Each takes a whole file that begins with its format's
// signature and gives 8-bit RGB, unturned, with the EXIF orientation beside it.
#pragma once

#include <cstddef>
#include <span>

#include "image/exif.h"
#include "tenon/image.h"

namespace tenon {

/// Sides beyond this are refused in every format (it is JPEG's own limit): resizing needs memory in
/// proportion.
inline constexpr int64_t kMaxImageSide = 65535;

struct DecodedImage {
  Image image;
  Orientation orientation = Orientation::kNormal;
};

/// An Image of that size, its pixels zero; kMalformed for an empty one, kLimit beyond options.max_pixels or
/// kMaxImageSide. Every decoder gets its memory here. `pixels` holds `bytes_per_pixel` bytes for each; a
/// decoder that asks for more than 3 reduces them afterwards.
Result<Image> allocate_image(int64_t width, int64_t height, const DecodeOptions& options,
                             int64_t bytes_per_pixel = 3);

/// Baseline, extended and progressive JPEG, Huffman or arithmetic; gray, YCbCr, RGB, CMYK, YCCK.
Result<DecodedImage> decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<DecodedImage> decode_png(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<DecodedImage> decode_webp(std::span<const std::byte> bytes, const DecodeOptions& options);
/// Uncompressed BMP of 1, 4, 8, 16, 24 and 32 bits, with bit masks, bottom-up and top-down.
Result<DecodedImage> decode_bmp(std::span<const std::byte> bytes, const DecodeOptions& options);

}  // namespace tenon
