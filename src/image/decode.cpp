#include <cstring>

#include "base/guard_memory.h"
#include "base/mapped_file.h"
#include "base/try.h"
#include "image/codecs.h"

namespace tenon {

namespace {

using Decoder = Result<DecodedImage> (*)(std::span<const std::byte>, const DecodeOptions&);

/// A format by the bytes that its files begin with: `magic`, then anything up to `offset`, then `magic2`.
struct Format {
  std::string_view name;
  std::string_view magic;
  size_t offset;
  std::string_view magic2;
  Decoder decode;  // null: known, and not supported
};

constexpr std::array<Format, 13> kFormats = {{
    {"JPEG", "\xff\xd8\xff", 0, "", decode_jpeg},
    {"PNG", "\x89PNG\r\n\x1a\n", 0, "", decode_png},
    {"WebP", "RIFF", 8, "WEBP", decode_webp},
    {"BMP", "BM", 0, "", decode_bmp},
    {"GIF", "GIF8", 0, "", nullptr},
    {"TIFF", {"II*\0", 4}, 0, "", nullptr},
    {"TIFF", {"MM\0*", 4}, 0, "", nullptr},
    {"JPEG 2000", {"\0\0\0\x0cjP  ", 8}, 0, "", nullptr},
    {"JPEG XL", {"\0\0\0\x0cJXL ", 8}, 0, "", nullptr},
    {"AVIF", "", 4, "ftypavif", nullptr},
    {"HEIC", "", 4, "ftyphei", nullptr},
    {"HEIF", "", 4, "ftypmif1", nullptr},
    {"PNM", "P6", 0, "", nullptr},
}};

bool holds(std::string_view text, size_t offset, std::string_view part) {
  return text.size() >= offset && text.substr(offset, part.size()) == part;
}

const Format* detect(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Format& format : kFormats)
    if (holds(text, 0, format.magic) && holds(text, format.offset, format.magic2)) return &format;
  return nullptr;
}

Result<Image> decode(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const Format* format = detect(bytes);
  if (bytes.empty()) return fail(ErrorCode::kMalformed, "the file is empty");
  if (format == nullptr)
    return with_hint(
        fail(ErrorCode::kMalformed, "this is not a picture: its first bytes are of no known format"),
        "JPEG, PNG, WebP and BMP are read");
  if (format->decode == nullptr)
    return with_hint(fail(ErrorCode::kUnsupported, "{} pictures are not supported", format->name),
                     "convert it to JPEG, PNG, WebP or BMP");
  DecodedImage decoded = TENON_TRY(format->decode(bytes, options));
  if (!options.apply_orientation) return std::move(decoded.image);
  return apply_orientation(std::move(decoded.image), decoded.orientation);
}

}  // namespace

Result<Image> allocate_image(int64_t width, int64_t height, const DecodeOptions& options,
                             int64_t bytes_per_pixel) {
  if (width <= 0 || height <= 0)
    return fail(ErrorCode::kMalformed, "the picture is {} by {} pixels", width, height);
  if (width > kMaxImageSide || height > kMaxImageSide)
    return fail(ErrorCode::kLimit, "the picture is {} by {} pixels; sides may have up to {}", width, height,
                kMaxImageSide);
  if (width * height > options.max_pixels)
    return fail(ErrorCode::kLimit, "the picture has {} by {} = {} pixels; the limit is {}", width, height,
                width * height, options.max_pixels);
  Image image;
  image.width = width;
  image.height = height;
  image.pixels.resize(static_cast<size_t>(bytes_per_pixel * width * height));
  return image;
}

Result<Image> decode_image(std::span<const std::byte> bytes, const DecodeOptions& options) {
  return guard_memory([&] { return decode(bytes, options); });
}

Result<Image> read_image(const std::string& path, const DecodeOptions& options) {
  auto file = TENON_TRY(MappedFile::open(path));
  auto image = decode_image(file->bytes(), options);
  if (!image.ok()) return at_file(std::move(image.error()), path);
  return image;
}

}  // namespace tenon
