// ZIP archives, the container of PyTorch's files and of npz. The central directory is the authority: local
// headers are only checked against it, and data descriptors are not read. Hostile archives end in an error:
// each check of `open` is made for all entries before any contents are looked at.
//
// Follows PKWARE's APPNOTE.TXT 6.3.10: stored and deflated entries, zip64; one volume, no encryption.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/shared_bytes.h"
#include "tenon/error.h"

namespace tenon {

struct ZipEntry {
  std::string_view name;  ///< In the archive's bytes, as it stands there.
  uint64_t offset = 0;    ///< Of the contents, from the start of the archive.
  uint64_t stored_size = 0;
  uint64_t size = 0;
  uint32_t crc32 = 0;
  bool deflated = false;
};

/// What entries may be called.
enum class ZipNames : uint8_t {
  kRelativePaths,  ///< Plain relative paths, as in an archive that could be unpacked.
  kKeys,           ///< Anything without NUL: npz, whose names are those of tensors ("/conv1/Conv_output_0").
};

/// An open archive. Copies share the bytes.
class ZipReader {
 public:
  /// True when the bytes begin as a ZIP archive with at least one entry does.
  static bool recognises(std::span<const std::byte> bytes);

  /// Reads the directory. Fails with kMalformed when the archive is damaged, ambiguous or hostile: truncated,
  /// two end records, directory or entries outside the file or overlapping each other, names that repeat, are
  /// absolute, climb with ".." or hold NUL or a backslash, local headers that disagree; with kUnsupported for
  /// encryption, several volumes and compressions other than deflate; with kLimit when the deflated entries
  /// would take more than expansion_limit_bytes together. Errors carry no file name: the caller knows it.
  /// With ZipNames::kKeys only NUL and repetition are refused in names.
  static Result<ZipReader> open(SharedBytes archive, ZipNames names = ZipNames::kRelativePaths);

  /// In the order of the central directory, folders left out.
  const std::vector<ZipEntry>& entries() const { return entries_; }
  /// Null when there is none of that name.
  const ZipEntry* find(std::string_view name) const;

  /// Of the whole archive.
  size_t size_bytes() const { return archive_.size(); }

  /// The contents: a view of the archive for a stored entry, a new buffer (64-byte aligned) for a deflated
  /// one. The checksum is verified on each call, unless every checksum in the archive is zero: PyTorch leaves
  /// them out on request (torch.serialization.set_crc32_options).
  Result<SharedBytes> read(const ZipEntry& entry) const;

 private:
  SharedBytes archive_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, size_t> index_;
  bool has_checksums_ = false;
};

}  // namespace tenon
