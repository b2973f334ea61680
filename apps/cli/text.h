// Small parsers and printers that the commands share.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/error.h"

namespace tenon::cli {

/// The parts between separators; none for an empty text.
std::vector<std::string> split(std::string_view text, char separator);
/// "NAME=VALUE" split at the last '='; an empty name when there is none.
std::pair<std::string, std::string> split_assignment(std::string_view text);
std::optional<int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);
/// "1,3,224,224"; "" is the shape of a scalar.
std::optional<std::vector<int64_t>> parse_shape(std::string_view text);
/// The texts of --input-shape, "NAME=D,D,...", by name.
Result<std::map<std::string, std::vector<int64_t>>> parse_input_shapes(const std::vector<std::string>& texts);
/// "44.7 MB".
std::string readable_bytes(uint64_t bytes);
/// Inputs or outputs as [{"name", "type"}].
template <class Port>
nlohmann::ordered_json ports_json(const std::vector<Port>& ports) {
  auto list = nlohmann::ordered_json::array();
  for (const Port& port : ports) list.push_back({{"name", port.name}, {"type", port.type}});
  return list;
}
/// One JSON object to standard output. Bytes that are not UTF-8 are replaced.
void print(const nlohmann::ordered_json& object);

}  // namespace tenon::cli
