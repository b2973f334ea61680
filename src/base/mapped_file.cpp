#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file_descriptor.h"
#include "base/try.h"

namespace tenon {

namespace {

std::string_view kind_name(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

/// The size of the regular file behind `descriptor`.
Result<size_t> regular_size(int descriptor, const std::string& path) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    return at_file(fail(ErrorCode::kIo, "cannot examine the file: {}", system_message(errno)), path);
  }
  if (!S_ISREG(status.st_mode)) {
    return at_file(fail(ErrorCode::kMalformed, "is {}, not a file", kind_name(status.st_mode)), path);
  }
  return static_cast<size_t>(status.st_size);
}

Result<FileDescriptor> open_for_reading(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    return at_file(fail(ErrorCode::kNotFound, "the path holds a NUL character"), path);
  }
  // O_NONBLOCK: opening a FIFO without a writer returns at once; regular_size then refuses it.
  FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!descriptor.is_open()) {
    return at_file(fail(ErrorCode::kNotFound, "cannot open: {}", system_message(errno)), path);
  }
  return descriptor;
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  FileDescriptor descriptor = TENON_TRY(open_for_reading(path));
  return from_descriptor(descriptor.get(), path);
}

Result<std::shared_ptr<const MappedFile>> MappedFile::from_descriptor(int descriptor, std::string path) {
  const size_t size = TENON_TRY(regular_size(descriptor, path));
  const std::byte* data = nullptr;
  if (size > 0) {
    void* mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping == MAP_FAILED) {
      return at_file(fail(ErrorCode::kIo, "cannot map the file: {}", system_message(errno)), path);
    }
    data = static_cast<const std::byte*>(mapping);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(std::move(path), data, size));
}

void MappedFile::release_pages() const {
  if (size_ > 0) madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

Result<std::string> read_small_file(const std::string& path, size_t limit_bytes) {
  FileDescriptor descriptor = TENON_TRY(open_for_reading(path));
  const size_t size = TENON_TRY(regular_size(descriptor.get(), path));
  if (size > limit_bytes) {
    return at_file(fail(ErrorCode::kLimit, "has {} bytes, and at most {} are read", size, limit_bytes), path);
  }
  std::string contents(size, '\0');
  size_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::read(descriptor.get(), contents.data() + filled, size - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return at_file(fail(ErrorCode::kIo, "cannot read: {}", system_message(errno)), path);
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  contents.resize(filled);
  return contents;
}

}  // namespace tenon
