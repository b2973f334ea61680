// Files that are read: whole, small ones into a string, and model files mapped, so that their tensors are
// views of the page cache and cost neither a copy nor memory that other processes could not share.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tenon/error.h"

namespace tenon {

/// A regular file, mapped read-only for as long as the object lives. Hold the shared_ptr as the owner of a
/// Tensor::view to keep the bytes alive. The mapping is private: a file that another process rewrites by
/// rename (as AtomicFile does) keeps its old contents here. One that is truncated in place while mapped
/// raises SIGBUS on access, as every mapping does.
class MappedFile {
 public:
  /// Maps the file at `path`, following symbolic links. Fails with kNotFound when it cannot be opened, with
  /// kMalformed when it is a folder, a FIFO, a socket or a device (none of which is ever waited for or read),
  /// with kIo when mapping fails. An empty file is not an error: size() is 0.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  /// The same for a descriptor that is already open for reading; it is not closed. `path` is what errors and
  /// path() say.
  static Result<std::shared_ptr<const MappedFile>> from_descriptor(int descriptor, std::string path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// The start of the file, aligned to a page; null when empty.
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// The same bytes as text, for parsers that take one.
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  /// Gives the memory of pages that were read back to the system: they are read again when they are needed.
  /// For files of which much has been copied.
  void release_pages() const;
  /// As the caller named it.
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, const std::byte* data, size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}

  std::string path_;
  const std::byte* data_;
  size_t size_;
};

/// The contents of a regular file of at most `limit_bytes`: labels, options, small JSON. Refuses the same
/// kinds of file as MappedFile::open; kLimit when it is larger.
Result<std::string> read_small_file(const std::string& path, size_t limit_bytes = size_t{64} << 20);

}  // namespace tenon
