#include <simdjson.h>

#include <array>
#include <charconv>
#include <optional>

#include "base/guard_memory.h"
#include "base/mapped_file.h"
#include "base/try.h"
#include "tenon/classify.h"

namespace tenon {

namespace {

constexpr std::array<std::string_view, 1000> kImagenetLabels = {{
#include "image/imagenet_labels.inc"
}};

constexpr size_t kMaxLabelFileBytes = size_t{16} << 20;
constexpr uint64_t kMaxLabels = 1'000'000;

std::optional<uint64_t> parse_index(std::string_view text) {
  uint64_t index = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

Error malformed(std::string_view what) {
  return with_hint(fail(ErrorCode::kMalformed, "the labels are not understood: {}", what),
                   "give one name a line, or JSON: a list of names, or an object from index to name");
}

/// The name in a JSON value: a string, or the last of a list of strings.
Result<std::string> name_of(simdjson::dom::element value) {
  simdjson::dom::array list;
  if (value.get(list) == simdjson::SUCCESS && list.size() > 0)
    value = list.at(list.size() - 1).value_unsafe();
  std::string_view name;
  if (value.get(name) != simdjson::SUCCESS) return malformed("a value is neither a name nor a list of names");
  return std::string(name);
}

Status put(std::vector<std::string>& labels, uint64_t index, std::string name) {
  if (index >= kMaxLabels)
    return fail(ErrorCode::kLimit, "label {} is beyond the limit of {}", index, kMaxLabels);
  if (index >= labels.size()) labels.resize(index + 1);
  labels[index] = std::move(name);
  return {};
}

Result<std::vector<std::string>> parse_object(simdjson::dom::object object) {
  std::vector<std::string> labels;
  for (auto [key, value] : object) {
    uint64_t index = 0;
    if (value.get(index) == simdjson::SUCCESS) {
      TENON_TRY(put(labels, index, std::string(key)));
      continue;
    }
    std::optional<uint64_t> number = parse_index(key);
    if (!number) return malformed(fmt::format("the key '{}' is not an index", key));
    std::string name = TENON_TRY(name_of(value));
    TENON_TRY(put(labels, *number, std::move(name)));
  }
  return labels;
}

Result<std::vector<std::string>> parse_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (auto error = parser.parse(text.data(), text.size()).get(root))
    return malformed(simdjson::error_message(error));
  simdjson::dom::object object;
  if (root.get(object) == simdjson::SUCCESS) return parse_object(object);
  simdjson::dom::array list;
  if (root.get(list) != simdjson::SUCCESS) return malformed("the JSON is neither a list nor an object");
  std::vector<std::string> labels;
  for (simdjson::dom::element value : list) labels.push_back(TENON_TRY(name_of(value)));
  return labels;
}

std::vector<std::string> parse_lines(std::string_view text) {
  std::vector<std::string> labels;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    labels.emplace_back(line);
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

Result<std::vector<std::string>> parse(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  size_t first = text.find_first_not_of(" \t\r\n");
  bool json = first != text.npos && (text[first] == '[' || text[first] == '{');
  std::vector<std::string> labels = json ? TENON_TRY(parse_json(text)) : parse_lines(text);
  if (labels.empty()) return malformed("there are none");
  return labels;
}

}  // namespace

std::vector<std::string> imagenet_labels() {
  return {kImagenetLabels.begin(), kImagenetLabels.end()};
}

std::vector<std::string> default_labels(int64_t classes) {
  constexpr auto kCount = static_cast<int64_t>(kImagenetLabels.size());
  std::vector<std::string> labels;
  if (classes == kCount || classes == kCount + 1) labels = imagenet_labels();
  if (classes == kCount + 1) labels.insert(labels.begin(), "background");
  return labels;
}

Result<std::vector<std::string>> parse_labels(std::string_view text) {
  return guard_memory([&] { return parse(text); });
}

Result<std::vector<std::string>> read_labels(const std::string& path) {
  std::string text = TENON_TRY(read_small_file(path, kMaxLabelFileBytes));
  auto labels = parse_labels(text);
  if (!labels.ok()) return at_file(std::move(labels.error()), path);
  return labels;
}

}  // namespace tenon
