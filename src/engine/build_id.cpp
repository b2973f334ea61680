#include "engine/build_id.h"

namespace tenon {

std::string_view build_id() {
  return
#include "build_id.inc"  // made by cmake/build_id.cmake
      ;
}

}  // namespace tenon
