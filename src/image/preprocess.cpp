#include <algorithm>
#include <cmath>

#include "base/guard_memory.h"
#include "base/try.h"
#include "image/codecs.h"
#include "image/resize.h"

namespace tenon {

namespace {

constexpr int64_t kMaxModelSide = 16384;

int64_t resize_size(const Preprocess& options) {
  return options.resize_size != 0 ? options.resize_size : std::min(options.height, options.width) + 32;
}

Status check(const Preprocess& options) {
  auto side_fits = [](int64_t side) { return side >= 1 && side <= kMaxModelSide; };
  if (!side_fits(options.height) || !side_fits(options.width))
    return fail(ErrorCode::kUsage, "pictures cannot be resized to {} by {}: each side may be 1 to {}",
                options.height, options.width, kMaxModelSide);
  int64_t size = resize_size(options);
  if (!side_fits(size) && options.resize != ResizeMode::kStretch)
    return fail(ErrorCode::kUsage, "the resize size is {}; it may be 1 to {}", size, kMaxModelSide);
  if (options.resize == ResizeMode::kCropThenResize && size < std::min(options.height, options.width))
    return fail(ErrorCode::kUsage, "the resize size {} is less than the model's input ({} by {})", size,
                options.height, options.width);
  bool finite = std::isfinite(options.scale);
  for (float mean : options.mean) finite = finite && std::isfinite(mean);
  for (float std : options.std) finite = finite && std::isfinite(std) && std != 0.0F;
  if (!finite) return fail(ErrorCode::kUsage, "scale, mean and std must be finite numbers, and std not 0");
  return {};
}

Status check(const Image& image) {
  auto side_fits = [](int64_t side) { return side >= 1 && side <= kMaxImageSide; };
  if (!side_fits(image.width) || !side_fits(image.height) ||
      image.pixels.size() != static_cast<size_t>(3 * image.width * image.height))
    return fail(ErrorCode::kUsage, "the picture is {} by {} pixels and has {} bytes", image.width,
                image.height, image.pixels.size());
  return {};
}

/// Where torchvision's CenterCrop begins: Python's round() of half the difference (halves to even); when the
/// picture is smaller, the padding before it, negative.
int64_t centre_crop_begin(int64_t in, int64_t out) {
  if (in < out) return -((out - in) / 2);
  int64_t twice = in - out;
  int64_t half = twice / 2;
  return twice % 2 != 0 && half % 2 != 0 ? half + 1 : half;
}

/// torchvision's Resize(resize size) and CenterCrop((height, width)).
Image shorter_side_and_crop(const Image& image, const Preprocess& options) {
  int64_t size = resize_size(options);
  int64_t width = size;
  int64_t height = size;
  if (image.width < image.height)
    height = size * image.height / image.width;
  else
    width = size * image.width / image.height;
  Region cut = {centre_crop_begin(width, options.width), centre_crop_begin(height, options.height),
                options.width, options.height};
  Region inside;
  inside.left = std::max<int64_t>(cut.left, 0);
  inside.top = std::max<int64_t>(cut.top, 0);
  inside.width = std::min(options.width, width);
  inside.height = std::min(options.height, height);
  Image resized = resize(image, width, height, options.interpolation, inside);
  if (inside.width == cut.width && inside.height == cut.height) return resized;
  return crop(resized,
              {std::min<int64_t>(cut.left, 0), std::min<int64_t>(cut.top, 0), cut.width, cut.height});
}

/// The centre square of EfficientNet-Lite's own preprocessing.
Image crop_and_resize(const Image& image, const Preprocess& options) {
  double share = static_cast<double>(std::min(options.height, options.width)) /
                 static_cast<double>(resize_size(options));
  auto side = static_cast<int64_t>(share * static_cast<double>(std::min(image.height, image.width)));
  side = std::max<int64_t>(side, 1);
  Region square = {(image.width - side + 1) / 2, (image.height - side + 1) / 2, side, side};
  return resize(crop(image, square), options.width, options.height, options.interpolation,
                {0, 0, options.width, options.height});
}

Image fit(const Image& image, const Preprocess& options) {
  switch (options.resize) {
    case ResizeMode::kCrop:
      return shorter_side_and_crop(image, options);
    case ResizeMode::kCropThenResize:
      return crop_and_resize(image, options);
    case ResizeMode::kStretch:
      break;
  }
  return resize(image, options.width, options.height, options.interpolation,
                {0, 0, options.width, options.height});
}

uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

int64_t channel_count(ChannelOrder order) {
  return order == ChannelOrder::kGray ? 1 : 3;
}

/// HWC bytes to normalised CHW floats, through a table of the 256 values of each channel.
void normalise(const Image& image, const Preprocess& options, float* out) {
  for (int64_t channel = 0; channel < channel_count(options.channels); ++channel) {
    auto c = static_cast<size_t>(channel);
    std::array<float, 256> table;
    for (int value = 0; value < 256; ++value) {
      auto scaled = static_cast<float>(value * options.scale);
      table[static_cast<size_t>(value)] = (scaled - options.mean[c]) / options.std[c];
    }
    const uint8_t* pixel = image.pixels.data();
    size_t from = options.channels == ChannelOrder::kBgr ? 2 - c : c;
    for (int64_t i = 0; i < image.width * image.height; ++i, pixel += 3)
      *out++ = table[options.channels == ChannelOrder::kGray ? luma(pixel) : pixel[from]];
  }
}

}  // namespace

Preprocess Preprocess::efficientnet_lite() {
  Preprocess options;
  options.resize = ResizeMode::kCropThenResize;
  options.interpolation = Interpolation::kPillowBicubic;
  options.scale = 1.0;
  options.mean = {127.0F, 127.0F, 127.0F};
  options.std = {128.0F, 128.0F, 128.0F};
  return options;
}

Result<Preprocess> Preprocess::preset(std::string_view name) {
  if (name == "imagenet") return imagenet();
  if (name == "efficientnet-lite") return efficientnet_lite();
  return with_hint(fail(ErrorCode::kUsage, "there is no preset '{}'", name),
                   "the presets are imagenet and efficientnet-lite");
}

Result<Tensor> preprocess(const Image& image, const Preprocess& options) {
  return preprocess({&image, 1}, options);
}

Result<Tensor> preprocess(std::span<const Image> images, const Preprocess& options) {
  return guard_memory([&]() -> Result<Tensor> {
    TENON_TRY(check(options));
    for (const Image& image : images) TENON_TRY(check(image));
    Tensor tensor = Tensor::allocate(DataType::kFloat32,
                                     {static_cast<int64_t>(images.size()), channel_count(options.channels),
                                      options.height, options.width});
    auto* out = tensor.mutable_data<float>();
    int64_t size = channel_count(options.channels) * options.height * options.width;
    for (const Image& image : images) {
      normalise(fit(image, options), options, out);
      out += size;
    }
    return tensor;
  });
}

}  // namespace tenon
