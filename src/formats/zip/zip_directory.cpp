#include "formats/zip/zip_directory.h"

#include <algorithm>
#include <optional>

#include "base/little_endian.h"
#include "base/try.h"

namespace tenon {

namespace {

using Bytes = std::span<const std::byte>;

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kZip64EndSignature = 0x06064b50;
constexpr uint32_t kZip64LocatorSignature = 0x07064b50;
constexpr size_t kLocalBytes = 30;
constexpr size_t kCentralBytes = 46;
constexpr size_t kEndBytes = 22;
constexpr size_t kZip64EndBytes = 56;
constexpr size_t kZip64LocatorBytes = 20;
constexpr size_t kMaxCommentBytes = 0xFFFF;
constexpr uint16_t kZip64Extra = 0x0001;
/// General purpose bits 0 (encrypted), 5 (patch), 6 (strong encryption), 13 (masked headers).
constexpr uint16_t kUnsupportedFlags = 0x2061;
constexpr uint16_t kDescriptorFlag = 0x0008;
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;

template <class T>
T field(Bytes bytes, size_t offset) {
  return load_little<T>(bytes.data() + offset);
}

Error malformed(std::string_view message) {
  return fail(ErrorCode::kMalformed, "the zip archive {}", message);
}

template <class... Args>
Error bad_entry(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::kMalformed, "zip entry '{}' {}", name,
              fmt::format(format, std::forward<Args>(args)...));
}

struct Directory {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t entries = 0;
};

/// The position of the end record: the only one whose comment ends with the archive.
Result<size_t> find_end_record(Bytes archive) {
  if (archive.size() < kEndBytes) return malformed("is truncated: it has no end record");
  const size_t last = archive.size() - kEndBytes;
  const size_t first = last > kMaxCommentBytes ? last - kMaxCommentBytes : 0;
  std::optional<size_t> found;
  for (size_t at = last + 1; at-- > first;) {
    if (field<uint32_t>(archive, at) != kEndSignature) continue;
    if (at + kEndBytes + field<uint16_t>(archive, at + 20) != archive.size()) continue;
    if (found) return malformed("has two end records");
    found = at;
  }
  if (!found) return malformed("is truncated: it has no end record");
  return *found;
}

/// Takes `narrow` unless it says "see the zip64 record"; the two must then not contradict each other.
template <class T>
Result<uint64_t> widen(T narrow, uint64_t wide) {
  if (narrow == static_cast<T>(-1) || narrow == wide) return wide;
  return malformed("contradicts itself: its zip64 end record differs from its end record");
}

/// The directory according to the end record at `end` and, where there is one, the zip64 end record before
/// it.
Result<Directory> read_end_records(Bytes archive, size_t end) {
  const auto entries = field<uint16_t>(archive, end + 10);
  const auto size = field<uint32_t>(archive, end + 12);
  const auto offset = field<uint32_t>(archive, end + 16);
  if (field<uint16_t>(archive, end + 4) != 0 || field<uint16_t>(archive, end + 6) != 0 ||
      field<uint16_t>(archive, end + 8) != entries) {
    return fail(ErrorCode::kUnsupported, "the zip archive is spread over several volumes");
  }
  Directory directory{.offset = offset, .size = size, .entries = entries};
  size_t directory_end = end;
  if (end >= kZip64LocatorBytes &&
      field<uint32_t>(archive, end - kZip64LocatorBytes) == kZip64LocatorSignature) {
    const size_t locator = end - kZip64LocatorBytes;
    const auto wide_end = field<uint64_t>(archive, locator + 8);
    if (locator < kZip64EndBytes || wide_end > locator - kZip64EndBytes ||
        field<uint32_t>(archive, wide_end) != kZip64EndSignature) {
      return malformed("has a zip64 locator that points at no zip64 end record");
    }
    if (field<uint64_t>(archive, wide_end + 4) != locator - wide_end - 12) {
      return malformed("has a zip64 end record of a wrong size");
    }
    if (field<uint32_t>(archive, wide_end + 16) != 0 || field<uint32_t>(archive, wide_end + 20) != 0 ||
        field<uint32_t>(archive, locator + 4) != 0 || field<uint32_t>(archive, locator + 16) > 1 ||
        field<uint64_t>(archive, wide_end + 24) != field<uint64_t>(archive, wide_end + 32)) {
      return fail(ErrorCode::kUnsupported, "the zip archive is spread over several volumes");
    }
    directory.entries = TENON_TRY(widen(entries, field<uint64_t>(archive, wide_end + 32)));
    directory.size = TENON_TRY(widen(size, field<uint64_t>(archive, wide_end + 40)));
    directory.offset = TENON_TRY(widen(offset, field<uint64_t>(archive, wide_end + 48)));
    directory_end = wide_end;
  }
  if (directory.offset > directory_end || directory.size != directory_end - directory.offset) {
    return malformed("has a central directory that does not end where its end record begins");
  }
  return directory;
}

/// Replaces those of an entry's sizes and offset that say "see the zip64 extra field", in the order of
/// APPNOTE 4.5.3. Sizes come first as size, stored size.
Status apply_zip64_extra(Bytes extra, std::string_view name, std::initializer_list<uint64_t*> fields) {
  constexpr uint64_t kSeeExtra = 0xFFFFFFFF;
  if (std::none_of(fields.begin(), fields.end(), [](const uint64_t* value) { return *value == kSeeExtra; }))
    return {};
  while (extra.size() >= 4) {
    const auto id = field<uint16_t>(extra, 0);
    const auto size = field<uint16_t>(extra, 2);
    if (size > extra.size() - 4) return bad_entry(name, "has an extra field past its end");
    Bytes values = extra.subspan(4, size);
    extra = extra.subspan(4 + size_t{size});
    if (id != kZip64Extra) continue;
    for (uint64_t* value : fields) {
      if (*value != kSeeExtra) continue;
      if (values.size() < 8) return bad_entry(name, "lacks a number in its zip64 field");
      *value = field<uint64_t>(values, 0);
      values = values.subspan(8);
    }
    return {};
  }
  return {};  // An entry of exactly 2^32 - 1 bytes; the bounds are checked as for any other.
}

/// Names are only looked up, never opened; still, one that could mean another place is hostile.
Status check_name(std::string_view name, ZipNames names) {
  if (name.empty()) return malformed("has an entry without a name");
  if (names == ZipNames::kKeys) {
    if (name.find('\0') != std::string_view::npos) return bad_entry(name, "has a name with NUL in it");
    return {};
  }
  const bool odd = name.find('\0') != std::string_view::npos || name.find('\\') != std::string_view::npos;
  if (odd || name.front() == '/') return bad_entry(name, "has a name that is not a plain relative path");
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return bad_entry(name, "climbs out of the archive");
    begin = end + 1;
  }
  return {};
}

/// What local and central header both state, and where the entry lies.
struct Header {
  ZipEntry entry;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint64_t local_offset = 0;
};

/// Checks the local header against the central one and finds the contents.
Status read_local_header(Bytes archive, uint64_t directory_offset, Header& header) {
  ZipEntry& entry = header.entry;
  if (header.local_offset > directory_offset || directory_offset - header.local_offset < kLocalBytes) {
    return bad_entry(entry.name, "lies outside the archive");
  }
  const Bytes local = archive.subspan(header.local_offset, directory_offset - header.local_offset);
  if (field<uint32_t>(local, 0) != kLocalSignature) return bad_entry(entry.name, "has no local header");
  const size_t name_size = field<uint16_t>(local, 26);
  const size_t extra_size = field<uint16_t>(local, 28);
  const size_t header_size = kLocalBytes + name_size + extra_size;
  if (header_size > local.size() || entry.stored_size > local.size() - header_size) {
    return bad_entry(entry.name, "lies outside the archive");
  }
  const std::string_view name(reinterpret_cast<const char*>(local.data()) + kLocalBytes, name_size);
  const auto flags = field<uint16_t>(local, 6);
  if (name != entry.name) return bad_entry(entry.name, "is called '{}' in its local header", name);
  if (field<uint16_t>(local, 8) != header.method || (flags & kUnsupportedFlags) != 0 ||
      (flags & kDescriptorFlag) != (header.flags & kDescriptorFlag)) {
    return bad_entry(entry.name, "has a local header that contradicts the central directory");
  }
  uint64_t stored_size = field<uint32_t>(local, 18);
  uint64_t size = field<uint32_t>(local, 22);
  TENON_TRY(
      apply_zip64_extra(local.subspan(kLocalBytes + name_size, extra_size), name, {&size, &stored_size}));
  const bool follows = (flags & kDescriptorFlag) != 0;  // Sizes and checksum may then be zero here.
  const bool same_sizes = stored_size == entry.stored_size && size == entry.size;
  const auto crc = field<uint32_t>(local, 14);
  if ((!same_sizes && !(follows && stored_size == 0 && size == 0)) ||
      (crc != entry.crc32 && !(follows && crc == 0))) {
    return bad_entry(entry.name, "has a local header that contradicts the central directory");
  }
  entry.offset = header.local_offset + header_size;
  return {};
}

/// Reads one central header at the front of `directory` and drops it from there.
Result<Header> read_central_header(Bytes& directory, ZipNames names) {
  if (directory.size() < kCentralBytes || field<uint32_t>(directory, 0) != kCentralSignature) {
    return malformed("has a damaged central directory");
  }
  const size_t name_size = field<uint16_t>(directory, 28);
  const size_t extra_size = field<uint16_t>(directory, 30);
  const size_t comment_size = field<uint16_t>(directory, 32);
  if (name_size + extra_size + comment_size > directory.size() - kCentralBytes) {
    return malformed("has a damaged central directory");
  }
  Header header;
  ZipEntry& entry = header.entry;
  entry.name = {reinterpret_cast<const char*>(directory.data()) + kCentralBytes, name_size};
  TENON_TRY(check_name(entry.name, names));
  header.flags = field<uint16_t>(directory, 8);
  header.method = field<uint16_t>(directory, 10);
  entry.crc32 = field<uint32_t>(directory, 16);
  entry.stored_size = field<uint32_t>(directory, 20);
  entry.size = field<uint32_t>(directory, 24);
  header.local_offset = field<uint32_t>(directory, 42);
  TENON_TRY(apply_zip64_extra(directory.subspan(kCentralBytes + name_size, extra_size), entry.name,
                              {&entry.size, &entry.stored_size, &header.local_offset}));
  if ((header.flags & kUnsupportedFlags) != 0) {
    return fail(ErrorCode::kUnsupported, "zip entry '{}' is encrypted or a patch", entry.name);
  }
  if (header.method != kStored && header.method != kDeflated) {
    return fail(ErrorCode::kUnsupported,
                "zip entry '{}' is compressed with method {}, and only deflate is supported", entry.name,
                header.method);
  }
  entry.deflated = header.method == kDeflated;
  if (!entry.deflated && entry.size != entry.stored_size) {
    return bad_entry(entry.name, "is stored, but its two sizes differ ({} and {})", entry.stored_size,
                     entry.size);
  }
  directory = directory.subspan(kCentralBytes + name_size + extra_size + comment_size);
  return header;
}

/// No two entries may share bytes: that is how a small archive claims to hold a large one.
Status check_overlap(std::vector<Header>& headers) {
  std::sort(headers.begin(), headers.end(),
            [](const Header& a, const Header& b) { return a.local_offset < b.local_offset; });
  for (size_t i = 1; i < headers.size(); ++i) {
    const ZipEntry& before = headers[i - 1].entry;
    if (before.offset + before.stored_size > headers[i].local_offset) {
      return bad_entry(headers[i].entry.name, "overlaps with entry '{}'", before.name);
    }
  }
  return {};
}

}  // namespace

Result<std::vector<ZipEntry>> read_zip_directory(Bytes archive, ZipNames names) {
  const size_t end = TENON_TRY(find_end_record(archive));
  const Directory where = TENON_TRY(read_end_records(archive, end));
  Bytes directory = archive.subspan(where.offset, where.size);
  if (where.entries > directory.size() / kCentralBytes) return malformed("has fewer entries than it says");
  std::vector<Header> headers;
  std::vector<ZipEntry> entries;
  headers.reserve(where.entries);
  entries.reserve(where.entries);
  for (uint64_t i = 0; i < where.entries; ++i) {
    Header header = TENON_TRY(read_central_header(directory, names));
    TENON_TRY(read_local_header(archive, where.offset, header));
    headers.push_back(header);
    entries.push_back(header.entry);
  }
  if (!directory.empty()) return malformed("has more in its central directory than the entries it counts");
  TENON_TRY(check_overlap(headers));
  return entries;
}

}  // namespace tenon
