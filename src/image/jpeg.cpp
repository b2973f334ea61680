// JPEG through libjpeg-turbo. The markers are walked here first: they give the size before memory is taken,
// the number of scans (a small file may ask for thousands of passes over a large picture), the EXIF block,
// and whether the file ends where it should, which libjpeg-turbo alone would only warn about.
#include <turbojpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/try.h"
#include "image/codecs.h"

namespace tenon {

namespace {

/// Scans × pixels that may be decoded: four times what a progressive photograph of 100 megapixels asks for.
constexpr int64_t kMaxScannedPixels = 4'000'000'000;
constexpr int64_t kMaxScans = 500;

struct JpegLayout {
  int64_t width = 0;
  int64_t height = 0;
  int components = 0;
  int64_t scans = 0;
  bool complete = false;  // the end-of-image marker was reached
  Orientation orientation = Orientation::kNormal;
};

bool is_frame_header(unsigned marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}
bool stands_alone(unsigned marker) {
  return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/// Walks the markers of a JPEG file (ITU-T T.81, annex B).
class MarkerWalk {
 public:
  explicit MarkerWalk(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Result<JpegLayout> run() {
    bool after_scan_header = false;
    position_ = 2;
    while (next_marker(after_scan_header)) {
      after_scan_header = false;
      if (marker_ == 0xd9) {
        layout_.complete = true;
        break;
      }
      if (stands_alone(marker_)) continue;
      if (bytes_.size() - position_ < 2) break;
      size_t length = byte(position_) << 8 | byte(position_ + 1);
      if (length < 2 || bytes_.size() - position_ < length) break;
      auto segment = bytes_.subspan(position_ + 2, length - 2);
      position_ += length;
      if (is_frame_header(marker_) && layout_.components == 0) {
        Status read = frame_header(segment);
        if (!read.ok()) return std::move(read.error());
      }
      constexpr std::string_view kExif{"Exif\0\0", 6};
      if (marker_ == 0xe1 && segment.size() > kExif.size() &&
          std::memcmp(segment.data(), kExif.data(), kExif.size()) == 0)
        layout_.orientation = exif_orientation(segment);
      if (marker_ == 0xda) {
        ++layout_.scans;
        after_scan_header = true;
      }
    }
    return layout_;
  }

 private:
  unsigned byte(size_t at) const { return std::to_integer<unsigned>(bytes_[at]); }

  /// Moves behind the next marker, over bytes that belong to none; in coded data also over stuffed zeros and
  /// restart markers. False at the end of the file.
  bool next_marker(bool in_coded_data) {
    while (position_ < bytes_.size()) {
      const void* found = std::memchr(bytes_.data() + position_, 0xff, bytes_.size() - position_);
      if (found == nullptr) return false;
      position_ = static_cast<size_t>(static_cast<const std::byte*>(found) - bytes_.data()) + 1;
      while (position_ < bytes_.size() && byte(position_) == 0xff) ++position_;
      if (position_ >= bytes_.size()) return false;
      marker_ = byte(position_++);
      bool is_data = marker_ == 0 || (in_coded_data && marker_ >= 0xd0 && marker_ <= 0xd7);
      if (!is_data) return true;
    }
    return false;
  }

  Status frame_header(std::span<const std::byte> segment) {
    bool decodable = marker_ <= 0xc2 || marker_ == 0xc9 || marker_ == 0xca;
    if (!decodable) return fail(ErrorCode::kUnsupported, "lossless and hierarchical JPEG are not supported");
    if (segment.size() < 6) return fail(ErrorCode::kMalformed, "the JPEG's frame header is too short");
    auto at = [&](size_t i) { return std::to_integer<int>(segment[i]); };
    if (at(0) != 8)
      return fail(ErrorCode::kUnsupported, "the JPEG has {} bits a sample; 8 are supported", at(0));
    layout_.height = at(1) << 8 | at(2);
    layout_.width = at(3) << 8 | at(4);
    layout_.components = at(5);
    if (layout_.components != 1 && layout_.components != 3 && layout_.components != 4)
      return fail(ErrorCode::kUnsupported, "the JPEG has {} components; 1, 3 and 4 are supported",
                  layout_.components);
    return {};
  }

  std::span<const std::byte> bytes_;
  size_t position_ = 0;
  unsigned marker_ = 0;
  JpegLayout layout_;
};

/// libjpeg's only warning that does not mean that picture data is lost.
bool is_harmless(std::string_view warning) {
  return warning.find("extraneous bytes before marker") != warning.npos;
}

Status decompress(std::span<const std::byte> bytes, const JpegLayout& layout, int format, uint8_t* out) {
  std::unique_ptr<void, int (*)(tjhandle)> handle(tjInitDecompress(), tjDestroy);
  if (handle == nullptr) return fail(ErrorCode::kOutOfMemory, "the JPEG decoder could not be made");
  int result = tjDecompress2(handle.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                             static_cast<unsigned long>(bytes.size()), out, static_cast<int>(layout.width), 0,
                             static_cast<int>(layout.height), format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (result == 0) return {};
  std::string_view message = tjGetErrorStr2(handle.get());
  if (tjGetErrorCode(handle.get()) == TJERR_WARNING && is_harmless(message)) return {};
  return fail(ErrorCode::kMalformed, "the JPEG is damaged: {}", message);
}

/// Inks as Adobe stores them (0 is full ink), to RGB as Pillow converts CMYK. In place: the result is the
/// first three quarters.
void cmyk_to_rgb(std::span<uint8_t> pixels) {
  for (size_t pixel = 0; pixel < pixels.size() / 4; ++pixel) {
    int light = pixels[4 * pixel + 3];  // 255 - black
    for (size_t c = 0; c < 3; ++c) {
      int ink = 255 - pixels[4 * pixel + c];
      int product = ink * light + 128;
      int absorbed = ((product >> 8) + product) >> 8;  // ink * light / 255, rounded
      pixels[3 * pixel + c] = static_cast<uint8_t>(std::clamp(light - absorbed, 0, 255));
    }
  }
}

}  // namespace

Result<DecodedImage> decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options) {
  JpegLayout layout = TENON_TRY(MarkerWalk(bytes).run());
  if (layout.components == 0) return fail(ErrorCode::kMalformed, "the JPEG has no frame header");
  if (layout.width == 0 || layout.height == 0)
    return fail(ErrorCode::kMalformed, "the JPEG is {} by {} pixels", layout.width, layout.height);
  if (layout.scans > kMaxScans || layout.scans * layout.width * layout.height > kMaxScannedPixels)
    return fail(ErrorCode::kLimit, "the JPEG has {} scans of {} by {} pixels, which would take very long",
                layout.scans, layout.width, layout.height);
  if (!layout.complete) return fail(ErrorCode::kMalformed, "the JPEG is cut short: it has no end marker");

  bool cmyk = layout.components == 4;
  DecodedImage decoded;
  decoded.orientation = layout.orientation;
  decoded.image = TENON_TRY(allocate_image(layout.width, layout.height, options, cmyk ? 4 : 3));
  std::vector<uint8_t>& pixels = decoded.image.pixels;
  TENON_TRY(decompress(bytes, layout, cmyk ? TJPF_CMYK : TJPF_RGB, pixels.data()));
  if (cmyk) {
    cmyk_to_rgb(pixels);
    pixels.resize(pixels.size() / 4 * 3);
  }
  return decoded;
}

}  // namespace tenon
