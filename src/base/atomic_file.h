// Files that are written: beside their target under a temporary name, and renamed onto it when complete, so
// that a reader sees the old file or the new one and a failure leaves nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "tenon/error.h"

namespace tenon {

/// One output file. Write its bytes in order, then commit(); an object that is destroyed before that removes
/// what it wrote. Guards against failures of this process, not against a loss of power (it does not sync).
/// Errors name the target as the caller did. After a failed write only destruction makes sense.
class AtomicFile {
 public:
  /// What to do about a file that already has the target's name.
  enum class IfExists : uint8_t {
    kReplace,  ///< commit() replaces it and keeps its permissions. A symbolic link's own target is replaced.
    kFail,     ///< create() and commit() fail with kUsage and leave it as it is.
  };

  /// Fails with kUsage when the target is a folder or anything else but a regular file, with kIo when its
  /// folder does not exist or cannot be written to.
  static Result<AtomicFile> create(const std::string& path, IfExists if_exists = IfExists::kReplace);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  ~AtomicFile();

  /// Appends. Small pieces are collected; those of a megabyte and more go to the system without a copy.
  Status write(std::span<const std::byte> bytes);
  Status write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  /// Appends zeros until position() is a multiple of `alignment_bytes` (any positive number up to 1 MiB).
  Status pad_to(size_t alignment_bytes);
  /// Where the bytes are until commit(): after finish() the file can be read there.
  const std::string& temporary_path() const { return temporary_; }
  /// Bytes written so far.
  uint64_t position() const { return position_; }

  /// Gets every byte to the system. Nothing may be written afterwards, and commit() can fail at the renaming
  /// alone.
  Status finish();
  /// Gives the file its name, after finish() where that is still to be done. Nothing may be written
  /// afterwards.
  Status commit();

 private:
  friend Status commit_all(std::span<AtomicFile> files);

  AtomicFile() = default;
  Status flush();
  Status write_through(std::span<const std::byte> bytes);
  void discard();

  std::string path_;       // as the caller named it
  std::string target_;     // with symbolic links resolved
  std::string temporary_;  // empty: nothing to remove
  IfExists if_exists_ = IfExists::kReplace;
  bool existed_ = false;  // a file had the target's name at the beginning
  FileDescriptor descriptor_;
  std::string buffer_;
  uint64_t position_ = 0;
};

/// Files that belong together: gives them their names when all of them could be written to their ends. Where
/// a renaming fails, those before it that replaced nothing are removed again.
Status commit_all(std::span<AtomicFile> files);

/// Creates, writes and commits in one call.
Status write_file(const std::string& path, std::span<const std::byte> bytes);
Status write_file(const std::string& path, std::string_view text);

}  // namespace tenon
