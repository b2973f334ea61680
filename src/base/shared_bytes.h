// Bytes together with what keeps them alive: a mapped file, a buffer that was inflated, a record inside
// either.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/mapped_file.h"

namespace tenon {

/// A view that owns its bytes jointly with its copies. Immutable.
struct SharedBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  size_t size() const { return bytes.size(); }
  const std::byte* data() const { return bytes.data(); }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  /// The part [offset, offset + count), which must lie inside.
  SharedBytes part(size_t offset, size_t count) const { return {bytes.subspan(offset, count), owner}; }
};

inline SharedBytes share_bytes(std::shared_ptr<const MappedFile> file) {
  return {file->bytes(), std::move(file)};
}

/// How many bytes may be made out of a file of `file_bytes` bytes by inflating, expanding or copying what it
/// holds. Real models stay far below; a few kilobytes that claim to be terabytes do not.
inline constexpr size_t expansion_limit_bytes(size_t file_bytes) {
  return (size_t{512} << 20) + (file_bytes < (size_t{1} << 50) ? 16 * file_bytes : file_bytes);
}

}  // namespace tenon
