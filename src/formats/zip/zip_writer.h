// ZIP archives on their way out: npz. Entries are stored, not compressed: tensors of a network hardly shrink.
//
// Follows PKWARE's APPNOTE.TXT 6.3.10, with zip64 where sizes or offsets need it. The same contents give the
// same bytes: every entry is dated 1980-01-01.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "tenon/error.h"

namespace tenon {

/// One archive, written beside its target; nothing is left of it unless the file that finish() gives is
/// committed.
class ZipWriter {
 public:
  /// Fails as AtomicFile::create does.
  static Result<ZipWriter> create(const std::string& path);

  /// Appends an entry whose contents are the pieces one after the other. `name` is UTF-8 without NUL and
  /// differs from those before it (the caller sees to that), at most 65,535 bytes long (kLimit).
  Status add(std::string_view name, std::initializer_list<std::span<const std::byte>> pieces);

  /// Writes the directory and hands over the file, which has all but its name. Nothing may be added
  /// afterwards.
  Result<AtomicFile> finish();

 private:
  struct Entry {
    std::string name;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint32_t crc32 = 0;
  };

  explicit ZipWriter(AtomicFile file) : file_(std::move(file)) {}

  AtomicFile file_;
  std::vector<Entry> entries_;
};

}  // namespace tenon
