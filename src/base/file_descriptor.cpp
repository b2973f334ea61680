#include "base/file_descriptor.h"

#include <unistd.h>

#include <system_error>

namespace tenon {

bool FileDescriptor::close() {
  if (descriptor_ < 0) return true;
  return ::close(std::exchange(descriptor_, -1)) == 0;
}

std::string system_message(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace tenon
