// Progress: how the calls of this library that may take long say what is under way. The library itself never
// prints.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace tenon {

/// Called between pieces of work, by the thread that made the call, with what is counted ("nodes lowered"),
/// how many of them are done, and how many there are; or with what is under way ("reading the file") and a
/// `total` of 0. `what` is valid during the call only. An empty one costs nothing.
using ProgressFunction = std::function<void(std::string_view what, size_t done, size_t total)>;

}  // namespace tenon
