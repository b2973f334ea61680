// An open file descriptor that closes itself, and the text of a failed system call.
#pragma once

#include <string>
#include <utility>

namespace tenon {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      close();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  /// Closes now; false when the system reports an error (a delayed write that failed).
  bool close();

 private:
  int descriptor_ = -1;
};

/// The system's text for an errno value: "No such file or directory".
std::string system_message(int error_number);

}  // namespace tenon
