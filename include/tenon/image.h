// Pictures: from the bytes of a JPEG, PNG, WebP or BMP file to the tensor that a vision model takes. Where
// the flow begins for classify: image → Tensor → session → labels (tenon/classify.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon {

/// A picture of 8 bits a channel.
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> pixels;  ///< height × width × 3, row-major, R G B interleaved.
};

struct DecodeOptions {
  /// Pictures with more pixels are refused (kLimit) before memory is taken for them. Decoding holds 3 bytes a
  /// pixel and for a progressive JPEG 6 more; 4 and 8 for CMYK; turning it upright 3 more.
  int64_t max_pixels = 100'000'000;
  /// Turn and mirror the picture as its EXIF orientation says (JPEG, PNG and WebP), as viewers do.
  bool apply_orientation = true;
};

/// Decodes a whole picture file, told apart by content. Grayscale becomes three equal channels, a palette its
/// colours, CMYK is converted by (255 - ink) · (255 - black); alpha is dropped without blending, 16-bit
/// samples keep their high byte, colour profiles and gamma are ignored. That is what Pillow's convert("RGB")
/// gives, except that Pillow cuts 16-bit gray off at 255. Of an animated PNG the still picture is decoded.
/// Fails with kMalformed for damaged or truncated files, kUnsupported for animated WebP, RLE BMP, lossless or
/// 12-bit JPEG and formats other than the four, kLimit for pictures that are too large (sides above 65,535
/// too) or made to take very long.
Result<Image> decode_image(std::span<const std::byte> bytes, const DecodeOptions& options = {});

/// decode_image on the contents of a file. Errors carry its name.
Result<Image> read_image(const std::string& path, const DecodeOptions& options = {});

/// How a picture of any size becomes height × width. Both crops start from the resize size, `resize_size`
/// below.
enum class ResizeMode : uint8_t {
  kStretch,         ///< Resize to exactly height × width; the aspect ratio is lost.
  kCrop,            ///< Resize the shorter side to the resize size, then cut height × width from the centre:
                    ///< torchvision's Resize and CenterCrop, with their rounding and zero padding.
  kCropThenResize,  ///< Cut a centre square of min(height, width) / resize size of the shorter side, then
                    ///< resize it: what EfficientNet-Lite was trained with.
};

/// Which resize; each gives the same bytes as its original (Pillow 13, OpenCV 4 and 5).
enum class Interpolation : uint8_t {
  kPillowBilinear,  ///< Pillow's BILINEAR: antialiased when shrinking.
  kPillowBicubic,   ///< Pillow's BICUBIC: antialiased when shrinking.
  kOpenCvLinear,    ///< OpenCV's INTER_LINEAR: four neighbours, not antialiased.
};

enum class ChannelOrder : uint8_t {
  kRgb,
  kBgr,
  kGray,  ///< One channel, ITU-R 601 luma as Pillow's convert("L").
};

/// Everything between a picture and the model's input. The defaults are the preset "imagenet".
struct Preprocess {
  int64_t height = 224;
  int64_t width = 224;
  ResizeMode resize = ResizeMode::kCrop;
  /// The resize size of kCrop and kCropThenResize; 0 stands for min(height, width) + 32 (224 gives 256).
  int64_t resize_size = 0;
  Interpolation interpolation = Interpolation::kPillowBilinear;
  ChannelOrder channels = ChannelOrder::kRgb;
  /// Each channel becomes (value · scale - mean) / std. mean and std are in the order of `channels`; kGray
  /// uses the first of each.
  double scale = 1.0 / 255.0;
  std::array<float, 3> mean = {0.485F, 0.456F, 0.406F};
  std::array<float, 3> std = {0.229F, 0.224F, 0.225F};

  /// What torchvision's ImageNet models are evaluated with.
  static Preprocess imagenet() { return {}; }
  /// What EfficientNet-Lite was trained with: centre square, bicubic, (value - 127) / 128.
  static Preprocess efficientnet_lite();
  /// "imagenet" or "efficientnet-lite"; any other name fails with kUsage.
  static Result<Preprocess> preset(std::string_view name);
};

/// The model's input for one picture: float32 [1, 3, height, width], or [1, 1, height, width] for kGray. The
/// arithmetic of scale, mean and std is that of torchvision's ToTensor and Normalize, to the last bit. Fails
/// with kUsage for options that make no sense and for an Image whose pixels do not fit its size.
Result<Tensor> preprocess(const Image& image, const Preprocess& options = {});
/// The same for several pictures in one batch: [N, C, height, width].
Result<Tensor> preprocess(std::span<const Image> images, const Preprocess& options = {});

}  // namespace tenon
