// What to say when a name is not known: the known names that come near it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tenon {

/// "did you mean 'conv1.weight' or 'conv2.weight'?", or when nothing comes near and the names are few, "there
/// are 'a', 'b'"; empty when there is nothing to say. Upper and lower case are near.
std::string near_names_hint(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace tenon
