#include "formats/zip/zip_reader.h"

#include <zlib.h>

#include <algorithm>

#include "base/little_endian.h"
#include "base/try.h"
#include "formats/zip/zip_directory.h"
#include "tenon/tensor.h"

namespace tenon {

namespace {

/// The most that deflate can expand (zlib's documentation: 1032 to 1), rounded up.
constexpr uint64_t kMaxDeflateRatio = 1040;
constexpr size_t kChunkBytes = size_t{1} << 30;

uint32_t checksum(std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// Ends the stream however inflate ends.
class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// True when `in` is one deflate stream that fills `out` exactly.
  bool inflate_all(std::span<const std::byte> in, std::span<std::byte> out) {
    if (!ready_) return false;
    Bytef unused = 0;
    int status = Z_OK;
    while (status == Z_OK) {
      const size_t in_count = std::min(in.size(), kChunkBytes);
      const size_t out_count = std::min(out.size(), kChunkBytes);
      // One byte beyond the end tells a stream that is too long from one that fits.
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
      stream_.avail_in = static_cast<uInt>(in_count);
      stream_.next_out = out_count > 0 ? reinterpret_cast<Bytef*>(out.data()) : &unused;
      stream_.avail_out = out_count > 0 ? static_cast<uInt>(out_count) : 1;
      status = inflate(&stream_, Z_NO_FLUSH);
      in = in.subspan(in_count - stream_.avail_in);
      if (out_count > 0) {
        out = out.subspan(out_count - stream_.avail_out);
      } else if (stream_.avail_out == 0) {
        return false;
      }
    }
    return status == Z_STREAM_END && in.empty() && out.empty();
  }

 private:
  z_stream stream_ = {};
  bool ready_ = false;
};

}  // namespace

bool ZipReader::recognises(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && load_little<uint32_t>(bytes.data()) == 0x04034b50;
}

Result<ZipReader> ZipReader::open(SharedBytes archive, ZipNames names) {
  ZipReader reader;
  reader.entries_ = TENON_TRY(read_zip_directory(archive.bytes, names));
  uint64_t inflated = 0;
  const uint64_t limit = expansion_limit_bytes(archive.size());
  std::erase_if(reader.entries_, [](const ZipEntry& entry) { return entry.name.back() == '/'; });
  for (size_t i = 0; i < reader.entries_.size(); ++i) {
    const ZipEntry& entry = reader.entries_[i];
    if (!reader.index_.emplace(entry.name, i).second) {
      return fail(ErrorCode::kMalformed, "zip entry '{}' is there twice", entry.name);
    }
    if (entry.crc32 != 0) reader.has_checksums_ = true;
    if (!entry.deflated) continue;
    if (entry.size / kMaxDeflateRatio > entry.stored_size) {
      return fail(ErrorCode::kMalformed,
                  "zip entry '{}' claims {} bytes, more than its {} compressed bytes can hold", entry.name,
                  entry.size, entry.stored_size);
    }
    inflated += entry.size;
    if (inflated > limit) {
      return fail(ErrorCode::kLimit, "the zip archive inflates to more than {} bytes, {} times its size",
                  limit, limit / archive.size());
    }
  }
  reader.archive_ = std::move(archive);
  return reader;
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

Result<SharedBytes> ZipReader::read(const ZipEntry& entry) const {
  SharedBytes contents = archive_.part(entry.offset, entry.stored_size);
  if (entry.deflated) {
    Tensor buffer = Tensor::allocate(DataType::kUInt8, {static_cast<int64_t>(entry.size)});
    Inflater inflater;
    if (!inflater.inflate_all(contents.bytes, {buffer.mutable_raw(), buffer.bytes()})) {
      return fail(ErrorCode::kMalformed,
                  "zip entry '{}' is damaged: its compressed bytes do not give {} bytes", entry.name,
                  entry.size);
    }
    contents = {{buffer.raw(), buffer.bytes()}, buffer.owner()};
  }
  if (has_checksums_ && checksum(contents.bytes) != entry.crc32) {
    return fail(ErrorCode::kMalformed, "zip entry '{}' is damaged: its checksum does not fit", entry.name);
  }
  return contents;
}

}  // namespace tenon
