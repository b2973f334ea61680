// Uncompressed BMP, by the layout that Microsoft documents for BITMAPFILEHEADER, BITMAPCOREHEADER,
// BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER. Debian has no library for it.
#include <array>
#include <bit>

#include "base/try.h"
#include "image/codecs.h"

namespace tenon {

namespace {

constexpr size_t kFileHeaderBytes = 14;
constexpr uint32_t kCoreHeaderBytes = 12;
constexpr uint32_t kInfoHeaderBytes = 40;
constexpr uint32_t kMasksHeaderBytes = 52;  // from here on the masks are part of the header

enum Compression : uint32_t { kRgb = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3, kAlphaBitFields = 6 };

struct BmpHeader {
  int64_t width = 0;
  int64_t height = 0;
  bool top_down = false;
  uint32_t bits = 0;
  std::array<uint32_t, 3> masks = {};
  size_t palette_offset = 0;
  size_t palette_entry_bytes = 4;
  size_t palette_entries = 0;
  size_t pixels_offset = 0;
};

class BmpReader {
 public:
  explicit BmpReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Result<DecodedImage> run(const DecodeOptions& options) {
    TENON_TRY(read_header());
    DecodedImage decoded;
    decoded.image = TENON_TRY(allocate_image(header_.width, header_.height, options));
    size_t row_bytes = (static_cast<size_t>(header_.width) * header_.bits + 31) / 32 * 4;
    size_t needed = row_bytes * static_cast<size_t>(header_.height);
    if (header_.pixels_offset > bytes_.size() || bytes_.size() - header_.pixels_offset < needed)
      return fail(ErrorCode::kMalformed,
                  "the BMP is cut short: {} bytes of pixels are needed from byte {}, and it has {}", needed,
                  header_.pixels_offset, bytes_.size());
    for (int64_t y = 0; y < header_.height; ++y) {
      int64_t row = header_.top_down ? y : header_.height - 1 - y;
      size_t from = header_.pixels_offset + row_bytes * static_cast<size_t>(row);
      uint8_t* out = decoded.image.pixels.data() + 3 * y * header_.width;
      if (header_.bits <= 8)
        TENON_TRY(palette_row(from, out));
      else if (header_.bits == 24)
        bgr_row(from, out);
      else
        masked_row(from, out);
    }
    return decoded;
  }

 private:
  /// A little-endian integer; callers have checked that the file is long enough.
  uint32_t read(size_t offset, size_t width) const {
    uint32_t value = 0;
    for (size_t i = width; i-- > 0;) value = value << 8 | std::to_integer<uint32_t>(bytes_[offset + i]);
    return value;
  }

  Status read_header() {
    if (bytes_.size() < kFileHeaderBytes + kCoreHeaderBytes)
      return fail(ErrorCode::kMalformed, "the BMP is cut short in its header");
    header_.pixels_offset = read(10, 4);
    uint32_t size = read(kFileHeaderBytes, 4);
    if (size != kCoreHeaderBytes && (size < kInfoHeaderBytes || size > 4096))
      return fail(ErrorCode::kUnsupported, "the BMP has a header of {} bytes, which is of no known version",
                  size);
    if (bytes_.size() - kFileHeaderBytes < size)
      return fail(ErrorCode::kMalformed, "the BMP is cut short in its header");
    header_.palette_offset = kFileHeaderBytes + size;
    if (size == kCoreHeaderBytes) {
      header_.width = read(18, 2);
      header_.height = read(20, 2);
      header_.bits = read(24, 2);
      header_.palette_entry_bytes = 3;
      return check_depth(kRgb, 0);
    }
    header_.width = std::bit_cast<int32_t>(read(18, 4));
    header_.height = std::bit_cast<int32_t>(read(22, 4));
    header_.top_down = header_.height < 0;
    if (header_.top_down) header_.height = -header_.height;
    header_.bits = read(28, 2);
    uint32_t compression = read(30, 4);
    TENON_TRY(check_depth(compression, read(46, 4)));
    if (compression == kBitFields || compression == kAlphaBitFields) return read_masks(size);
    return {};
  }

  Status check_depth(uint32_t compression, uint32_t colours_used) {
    if (compression == kRle8 || compression == kRle4)
      return with_hint(fail(ErrorCode::kUnsupported, "the BMP is run-length encoded, which is not supported"),
                       "save it uncompressed, or as PNG");
    bool masks = compression == kBitFields || compression == kAlphaBitFields;
    if (compression != kRgb && !masks)
      return fail(ErrorCode::kUnsupported, "the BMP has compression {}, which is not supported", compression);
    switch (header_.bits) {
      case 1:
      case 4:
      case 8: {
        size_t most = size_t{1} << header_.bits;
        header_.palette_entries = colours_used == 0 ? most : std::min<size_t>(colours_used, most);
        break;
      }
      case 16:
        header_.masks = {0x7c00, 0x03e0, 0x001f};
        break;
      case 24:
        break;
      case 32:
        header_.masks = {0xff0000, 0x00ff00, 0x0000ff};
        break;
      default:
        return fail(ErrorCode::kMalformed, "the BMP has {} bits a pixel", header_.bits);
    }
    if (masks && header_.bits != 16 && header_.bits != 32)
      return fail(ErrorCode::kMalformed, "the BMP has bit masks and {} bits a pixel", header_.bits);
    size_t palette_bytes = header_.palette_entries * header_.palette_entry_bytes;
    if (bytes_.size() - header_.palette_offset < palette_bytes)
      return fail(ErrorCode::kMalformed, "the BMP is cut short in its palette");
    return {};
  }

  /// The three masks stand at the same place whether the header counts them in or they follow it.
  Status read_masks(uint32_t header_bytes) {
    constexpr size_t kMasksOffset = kFileHeaderBytes + kInfoHeaderBytes;
    size_t end = kFileHeaderBytes + std::max(header_bytes, kMasksHeaderBytes);
    if (bytes_.size() < end) return fail(ErrorCode::kMalformed, "the BMP is cut short in its bit masks");
    for (size_t c = 0; c < 3; ++c) {
      uint32_t mask = header_.masks[c] = read(kMasksOffset + 4 * c, 4);
      uint32_t ones = mask == 0 ? 0 : mask >> std::countr_zero(mask);
      if ((ones & (ones + 1)) != 0) return fail(ErrorCode::kMalformed, "the BMP has a bit mask with a gap");
    }
    return {};
  }

  Status palette_row(size_t from, uint8_t* out) const {
    for (int64_t x = 0; x < header_.width; ++x, out += 3) {
      size_t bit = static_cast<size_t>(x) * header_.bits;
      uint32_t byte = read(from + bit / 8, 1);
      size_t index = byte >> (8 - header_.bits - bit % 8) & ((1U << header_.bits) - 1);
      if (index >= header_.palette_entries)
        return fail(ErrorCode::kMalformed, "the BMP has a pixel of colour {}, and its palette has {}", index,
                    header_.palette_entries);
      size_t entry = header_.palette_offset + index * header_.palette_entry_bytes;
      for (size_t c = 0; c < 3; ++c) out[c] = std::to_integer<uint8_t>(bytes_[entry + 2 - c]);
    }
    return {};
  }

  void bgr_row(size_t from, uint8_t* out) const {
    for (int64_t x = 0; x < header_.width; ++x, from += 3, out += 3)
      for (size_t c = 0; c < 3; ++c) out[c] = std::to_integer<uint8_t>(bytes_[from + 2 - c]);
  }

  void masked_row(size_t from, uint8_t* out) const {
    size_t width = header_.bits / 8;
    for (int64_t x = 0; x < header_.width; ++x, from += width) {
      uint32_t pixel = read(from, width);
      for (uint32_t mask : header_.masks) {
        uint64_t shift = mask == 0 ? 0 : static_cast<uint64_t>(std::countr_zero(mask));
        uint64_t most = mask >> shift;
        *out++ =
            most == 0 ? uint8_t{0} : static_cast<uint8_t>(((pixel & mask) >> shift) * uint64_t{255} / most);
      }
    }
  }

  std::span<const std::byte> bytes_;
  BmpHeader header_;
};

}  // namespace

Result<DecodedImage> decode_bmp(std::span<const std::byte> bytes, const DecodeOptions& options) {
  return BmpReader(bytes).run(options);
}

}  // namespace tenon
