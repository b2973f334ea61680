#include "formats/zip/zip_writer.h"

#include <zlib.h>

#include "base/try.h"

namespace tenon {

namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kZip64EndSignature = 0x06064b50;
constexpr uint32_t kZip64LocatorSignature = 0x07064b50;
constexpr uint16_t kZip64Extra = 0x0001;
constexpr uint16_t kVersion = 20;
constexpr uint16_t kZip64Version = 45;
constexpr uint16_t kUtf8Names = 0x0800;
constexpr uint16_t kDate = 0x0021;  // 1980-01-01
/// In a 16 or 32-bit field: see the zip64 record.
constexpr uint16_t kWide16 = 0xFFFF;
constexpr uint32_t kWide32 = 0xFFFFFFFF;

/// Little-endian fields, appended.
class Record {
 public:
  template <class T>
  Record& put(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) text_ += static_cast<char>(value >> (8 * i) & 0xff);
    return *this;
  }
  Record& put_text(std::string_view text) {
    text_ += text;
    return *this;
  }
  std::string_view text() const { return text_; }
  size_t size() const { return text_.size(); }

 private:
  std::string text_;
};

bool is_wide(uint64_t value) {
  return value >= kWide32;
}
uint32_t narrow(uint64_t value) {
  return is_wide(value) ? kWide32 : static_cast<uint32_t>(value);
}

}  // namespace

Result<ZipWriter> ZipWriter::create(const std::string& path) {
  return ZipWriter(TENON_TRY(AtomicFile::create(path)));
}

Status ZipWriter::add(std::string_view name, std::initializer_list<std::span<const std::byte>> pieces) {
  if (name.size() > kWide16)
    return fail(ErrorCode::kLimit, "the name of a zip entry has {} bytes; the format allows {}", name.size(),
                kWide16);
  Entry entry{.name = std::string(name), .offset = file_.position()};
  uLong crc = ::crc32(0, nullptr, 0);
  for (auto piece : pieces) {
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
    entry.size += piece.size();
  }
  entry.crc32 = static_cast<uint32_t>(crc);

  bool wide = is_wide(entry.size);
  Record header;
  header.put(kLocalSignature).put(wide ? kZip64Version : kVersion).put(kUtf8Names).put(uint16_t{0});
  header.put(uint16_t{0}).put(kDate).put(entry.crc32).put(narrow(entry.size)).put(narrow(entry.size));
  header.put(static_cast<uint16_t>(name.size())).put(static_cast<uint16_t>(wide ? 20 : 0)).put_text(name);
  if (wide) header.put(kZip64Extra).put(uint16_t{16}).put(entry.size).put(entry.size);
  TENON_TRY(file_.write(header.text()));
  for (auto piece : pieces) TENON_TRY(file_.write(piece));
  entries_.push_back(std::move(entry));
  return {};
}

Result<AtomicFile> ZipWriter::finish() {
  uint64_t begin = file_.position();
  for (const Entry& entry : entries_) {
    Record extra;
    if (is_wide(entry.size)) extra.put(entry.size).put(entry.size);
    if (is_wide(entry.offset)) extra.put(entry.offset);
    bool wide = extra.size() > 0;
    Record header;
    header.put(kCentralSignature).put(kZip64Version).put(wide ? kZip64Version : kVersion).put(kUtf8Names);
    header.put(uint16_t{0}).put(uint16_t{0}).put(kDate).put(entry.crc32);
    header.put(narrow(entry.size)).put(narrow(entry.size)).put(static_cast<uint16_t>(entry.name.size()));
    header.put(static_cast<uint16_t>(wide ? extra.size() + 4 : 0)).put(uint16_t{0}).put(uint16_t{0});
    header.put(uint16_t{0}).put(uint32_t{0}).put(narrow(entry.offset)).put_text(entry.name);
    if (wide) header.put(kZip64Extra).put(static_cast<uint16_t>(extra.size())).put_text(extra.text());
    TENON_TRY(file_.write(header.text()));
  }

  uint64_t end = file_.position();
  uint64_t count = entries_.size();
  Record tail;
  if (count >= kWide16 || is_wide(begin) || is_wide(end - begin)) {
    constexpr uint64_t kRemainingBytes = 44;  // of the record, behind its size field
    tail.put(kZip64EndSignature).put(kRemainingBytes).put(kZip64Version).put(kZip64Version);
    tail.put(uint32_t{0}).put(uint32_t{0}).put(count).put(count).put(end - begin).put(begin);
    tail.put(kZip64LocatorSignature).put(uint32_t{0}).put(end).put(uint32_t{1});
  }
  uint16_t narrow_count = count >= kWide16 ? kWide16 : static_cast<uint16_t>(count);
  tail.put(kEndSignature).put(uint16_t{0}).put(uint16_t{0}).put(narrow_count).put(narrow_count);
  tail.put(narrow(end - begin)).put(narrow(begin)).put(uint16_t{0});
  TENON_TRY(file_.write(tail.text()));
  return std::move(file_);
}

}  // namespace tenon
