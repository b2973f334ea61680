#include "ops/core/range_metadata.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

namespace tenon::ops {

namespace {

constexpr std::string_view kPrefix = "sizes.";
constexpr std::string_view kTo = "..";

/// False when the text is neither empty nor a number.
bool read_bound(std::string_view text, std::optional<int64_t>& bound) {
  if (text.empty()) return true;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bound = value;
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<SizeRange> read_range(std::string_view text) {
  const size_t middle = text.find(kTo);
  SizeRange range;
  if (middle == std::string_view::npos || !read_bound(text.substr(0, middle), range.min) ||
      !read_bound(text.substr(middle + kTo.size()), range.max) || range.is_any())
    return std::nullopt;
  return range;
}

}  // namespace

void add_range_metadata(const TypedModel& model, onnx::StringPairs& metadata) {
  std::map<std::string, SizeRange> ranges;
  for (ValueId id : model.graph.inputs) {
    const auto& shape = model.graph.value(id).type.shape;
    for (size_t d = 0; shape && d < shape->size(); ++d)
      if (const SizeRange range = allowed_sizes((*shape)[d], model.ranges); !range.is_any())
        ranges.emplace((*shape)[d].to_string(), range);
  }
  for (const auto& [name, range] : ranges)
    metadata.emplace_back(fmt::format("{}{}", kPrefix, name),
                          fmt::format("{}{}{}", range.min ? std::to_string(*range.min) : "", kTo,
                                      range.max ? std::to_string(*range.max) : ""));
}

SizeRanges take_range_metadata(onnx::StringPairs& metadata) {
  SizeRanges ranges;
  std::erase_if(metadata, [&](const auto& entry) {
    const auto& [key, text] = entry;
    const auto range = key.starts_with(kPrefix) ? read_range(text) : std::nullopt;
    return range && ranges.emplace(key.substr(kPrefix.size()), *range).second;
  });
  return ranges;
}

}  // namespace tenon::ops
