#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "base/try.h"

namespace tenon {

namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
/// The most that one write(2) is asked for; Linux itself stops below 2^31.
constexpr size_t kChunkBytes = size_t{1} << 30;
constexpr int kNameAttempts = 100;

/// Where a chain of symbolic links that starts at `path` ends; `path` itself when it is no link or dangles.
std::string resolve_links(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
  std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr), &std::free);
  return resolved == nullptr ? path : std::string(resolved.get());
}

/// "DIR/.tenon-XXXXXXXXXXXX.tmp" in the folder of `target`: short enough beside a target of any length.
std::string temporary_name(const std::string& target) {
  std::random_device device;
  const uint64_t bits = (static_cast<uint64_t>(device()) << 32) | device();
  const size_t slash = target.rfind('/');
  const std::string folder = slash == std::string::npos ? std::string() : target.substr(0, slash + 1);
  return fmt::format("{}.tenon-{:016x}.tmp", folder, bits);
}

}  // namespace

Result<AtomicFile> AtomicFile::create(const std::string& path, IfExists if_exists) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return at_file(fail(ErrorCode::kUsage, "not the name of a file that could be written"), path);
  }
  AtomicFile file;
  file.path_ = path;
  file.target_ = resolve_links(path);
  file.if_exists_ = if_exists;
  struct stat status;
  const bool exists = stat(file.target_.c_str(), &status) == 0;
  file.existed_ = exists;
  if (exists && if_exists == IfExists::kFail) {
    return at_file(fail(ErrorCode::kUsage, "already exists and is not overwritten"), path);
  }
  if (exists && !S_ISREG(status.st_mode)) {
    return at_file(fail(ErrorCode::kUsage, "{}, so no file can be written in its place",
                        S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file"),
                   path);
  }
  for (int attempt = 0; attempt < kNameAttempts && !file.descriptor_.is_open(); ++attempt) {
    file.temporary_ = temporary_name(file.target_);
    file.descriptor_ = FileDescriptor(
        ::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!file.descriptor_.is_open() && errno != EEXIST) break;
  }
  if (!file.descriptor_.is_open()) {
    const int error_number = errno;
    file.temporary_.clear();
    return at_file(fail(ErrorCode::kIo, "cannot create the file: {}", system_message(error_number)), path);
  }
  if (exists) fchmod(file.descriptor_.get(), status.st_mode & 07777);
  return file;
}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this != &other) {
    discard();
    path_ = std::move(other.path_);
    target_ = std::move(other.target_);
    temporary_ = std::exchange(other.temporary_, {});
    if_exists_ = other.if_exists_;
    existed_ = other.existed_;
    descriptor_ = std::move(other.descriptor_);
    buffer_ = std::move(other.buffer_);
    position_ = other.position_;
  }
  return *this;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept {
  *this = std::move(other);
}

AtomicFile::~AtomicFile() {
  discard();
}

void AtomicFile::discard() {
  descriptor_.close();
  if (!temporary_.empty()) unlink(temporary_.c_str());
  temporary_.clear();
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  if (bytes.size() >= kBufferBytes) {
    TENON_TRY(flush());
    return write_through(bytes);
  }
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return buffer_.size() >= kBufferBytes ? flush() : Status();
}

Status AtomicFile::pad_to(size_t alignment_bytes) {
  const size_t excess = position_ % alignment_bytes;
  return excess == 0 ? Status() : write(std::string(alignment_bytes - excess, '\0'));
}

Status AtomicFile::flush() {
  TENON_TRY(write_through(std::as_bytes(std::span(buffer_))));
  buffer_.clear();
  return {};
}

Status AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_.get(), bytes.data(), std::min(bytes.size(), kChunkBytes));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return at_file(fail(ErrorCode::kIo, "cannot write: {}", system_message(errno)), path_);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

Status AtomicFile::finish() {
  if (!descriptor_.is_open()) return {};
  TENON_TRY(flush());
  if (!descriptor_.close())
    return at_file(fail(ErrorCode::kIo, "cannot write: {}", system_message(errno)), path_);
  return {};
}

Status AtomicFile::commit() {
  TENON_TRY(finish());
  const bool replace = if_exists_ == IfExists::kReplace;
  // link(2) fails when the name is taken, where rename(2) would replace.
  const int failed =
      replace ? rename(temporary_.c_str(), target_.c_str()) : link(temporary_.c_str(), target_.c_str());
  if (failed != 0) {
    const int error_number = errno;
    const ErrorCode code = error_number == EEXIST ? ErrorCode::kUsage : ErrorCode::kIo;
    return at_file(fail(code, "cannot give the finished file its name: {}", system_message(error_number)),
                   path_);
  }
  if (!replace) unlink(temporary_.c_str());
  temporary_.clear();
  return {};
}

Status commit_all(std::span<AtomicFile> files) {
  for (AtomicFile& file : files) TENON_TRY(file.finish());
  for (size_t i = 0; i < files.size(); ++i) {
    Status committed = files[i].commit();
    if (committed.ok()) continue;
    for (const AtomicFile& file : files.first(i))
      if (!file.existed_) unlink(file.target_.c_str());
    return committed;
  }
  return {};
}

Status write_file(const std::string& path, std::span<const std::byte> bytes) {
  AtomicFile file = TENON_TRY(AtomicFile::create(path));
  TENON_TRY(file.write(bytes));
  return file.commit();
}

Status write_file(const std::string& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace tenon
