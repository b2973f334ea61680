#include "text.h"

#include <charconv>
#include <cstdio>

#include "commands.h"

namespace tenon::cli {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 1);
    if (text.empty()) parts.emplace_back();
  }
  return parts;
}

std::pair<std::string, std::string> split_assignment(std::string_view text) {
  size_t at = text.rfind('=');
  if (at == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

namespace {

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text) {
  return parse<int64_t>(text);
}
std::optional<double> parse_number(std::string_view text) {
  return parse<double>(text);
}

std::optional<std::vector<int64_t>> parse_shape(std::string_view text) {
  std::vector<int64_t> shape;
  for (const std::string& part : split(text, ',')) {
    auto dim = parse_integer(part);
    if (!dim || *dim < 0) return std::nullopt;
    shape.push_back(*dim);
  }
  return shape;
}

Result<std::map<std::string, std::vector<int64_t>>> parse_input_shapes(
    const std::vector<std::string>& texts) {
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const std::string& text : texts) {
    auto [name, value] = split_assignment(text);
    auto shape = parse_shape(value);
    if (name.empty() || !shape)
      return usage_error("--input-shape '" + text + "' is not NAME=D,D,...",
                         "for example --input-shape input=1,3,224,224");
    shapes[name] = *shape;
  }
  return shapes;
}

std::string readable_bytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

void print(const nlohmann::ordered_json& object) {
  std::string text = object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
}

}  // namespace tenon::cli
