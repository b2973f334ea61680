// Which tenon this is: engine files fit the one that wrote them alone, since kernels choose their layouts of
// weights as they like.
#pragma once

#include <string_view>

namespace tenon {

/// The version, and a checksum of the library's sources.
std::string_view build_id();

}  // namespace tenon
