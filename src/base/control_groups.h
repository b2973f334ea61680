// Limits that Linux control groups set for this process.
#pragma once

#include <string>
#include <string_view>

#include "base/function_ref.h"

namespace tenon {

/// Calls `visit` with the folder of each group that this process is in for `controller` ("cpu", "memory"),
/// from its own up to the root, in version 2 and version 1 hierarchies. Folders end without a slash.
void visit_control_groups(std::string_view controller, FunctionRef<void(const std::string& folder)> visit);

}  // namespace tenon
