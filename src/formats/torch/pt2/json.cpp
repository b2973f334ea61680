#include "formats/torch/pt2/json.h"

#include <algorithm>
#include <limits>

#include "base/try.h"

namespace tenon::pt2 {

namespace {

constexpr size_t kMaxBytes = size_t{64} << 20;
constexpr size_t kMaxDepth = 100;

Error expected(std::string_view what, std::string_view kind) {
  return fail(ErrorCode::kMalformed, "JSON: {} should be {}", what, kind);
}

}  // namespace

Result<JsonDocument> JsonDocument::parse(std::string_view text) {
  if (text.size() > kMaxBytes)
    return fail(ErrorCode::kLimit, "JSON of {} bytes is larger than the limit of {}", text.size(), kMaxBytes);
  JsonDocument document;
  auto error = document.parser_->allocate(std::max<size_t>(text.size(), 64), kMaxDepth);
  if (error == simdjson::SUCCESS)
    error = document.parser_->parse(text.data(), text.size(), true).get(document.root_);
  if (error == simdjson::MEMALLOC)
    return fail(ErrorCode::kOutOfMemory, "no memory to parse JSON of {} bytes", text.size());
  if (error == simdjson::DEPTH_ERROR)
    return fail(ErrorCode::kLimit, "JSON is nested more than {} levels deep", kMaxDepth);
  if (error != simdjson::SUCCESS)
    return fail(ErrorCode::kMalformed, "not valid JSON: {}", simdjson::error_message(error));
  return document;
}

Result<JsonObject> JsonObject::of(JsonValue value, std::string_view what) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return expected(what, "an object");
  JsonObject result;
  result.what_ = what;
  for (auto field : object) result.fields_.emplace_back(field.key, field.value);
  const auto& fields = result.fields_;
  std::vector<std::string_view> keys;
  keys.reserve(fields.size());
  for (const auto& field : fields) keys.push_back(field.first);
  std::sort(keys.begin(), keys.end());
  auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end())
    return fail(ErrorCode::kMalformed, "JSON: {} has the key '{}' twice", what, *twice);
  return result;
}

std::optional<JsonValue> JsonObject::find(std::string_view key) const {
  for (const auto& [name, value] : fields_)
    if (name == key) return value.is_null() ? std::nullopt : std::optional(value);
  return std::nullopt;
}

Result<JsonValue> JsonObject::get(std::string_view key) const {
  if (auto value = find(key)) return *value;
  return fail(ErrorCode::kMalformed, "JSON: {} has no '{}'", what_, key);
}

Result<std::string> JsonObject::get_string(std::string_view key) const {
  return std::string(TENON_TRY(json_string(TENON_TRY(get(key)), key)));
}
Result<int64_t> JsonObject::get_int(std::string_view key) const {
  return json_int(TENON_TRY(get(key)), key);
}
Result<bool> JsonObject::get_bool(std::string_view key) const {
  return json_bool(TENON_TRY(get(key)), key);
}
Result<simdjson::dom::array> JsonObject::get_array(std::string_view key) const {
  return json_array(TENON_TRY(get(key)), key);
}
Result<JsonObject> JsonObject::get_object(std::string_view key) const {
  return of(TENON_TRY(get(key)), key);
}

Result<JsonUnion> json_union(JsonValue value, std::string_view what) {
  JsonObject object = TENON_TRY(JsonObject::of(value, what));
  if (auto type = object.find("$type"))
    return JsonUnion{TENON_TRY(json_string(*type, "$type")), TENON_TRY(object.get("$value"))};
  std::optional<JsonUnion> found;
  for (const auto& [key, item] : object.fields()) {
    if (item.is_null()) continue;
    if (found) return fail(ErrorCode::kMalformed, "JSON: {} is both '{}' and '{}'", what, found->tag, key);
    found = JsonUnion{key, item};
  }
  if (!found) return fail(ErrorCode::kMalformed, "JSON: {} says nothing", what);
  return *found;
}

Result<std::string_view> json_string(JsonValue value, std::string_view what) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return expected(what, "a string");
  return text;
}

Result<int64_t> json_int(JsonValue value, std::string_view what) {
  int64_t number = 0;
  if (!value.is_int64() || value.get_int64().get(number) != simdjson::SUCCESS)
    return expected(what, "an integer of 64 bits");
  return number;
}

Result<bool> json_bool(JsonValue value, std::string_view what) {
  bool flag = false;
  if (value.get_bool().get(flag) != simdjson::SUCCESS) return expected(what, "true or false");
  return flag;
}

Result<double> json_float(JsonValue value, std::string_view what) {
  double number = 0;
  if (value.is_number() && value.get_double().get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  }
  return expected(what, "a number");
}

Result<simdjson::dom::array> json_array(JsonValue value, std::string_view what) {
  simdjson::dom::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return expected(what, "an array");
  return array;
}

}  // namespace tenon::pt2
