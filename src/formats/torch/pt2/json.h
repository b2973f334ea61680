// Reading JSON from strangers, for the files inside a .pt2 archive: simdjson underneath, with bounded size
// and depth, no duplicate keys, no numbers out of range, and an error value for everything that is not as
// expected.
#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/error.h"

namespace tenon::pt2 {

using JsonValue = simdjson::dom::element;

/// A parsed text. JsonValues and string_views taken from it live as long as it does.
class JsonDocument {
 public:
  /// At most 64 MiB and 100 levels deep. kMalformed (not JSON, not UTF-8, 1e400), kLimit.
  static Result<JsonDocument> parse(std::string_view text);
  JsonValue root() const { return root_; }

 private:
  JsonDocument() = default;
  std::unique_ptr<simdjson::dom::parser> parser_ =
      std::make_unique<simdjson::dom::parser>();  // elements point into it
  JsonValue root_;
};

/// An object's fields. A field that is null counts as absent.
class JsonObject {
 public:
  /// `what` names the object in errors: "a node". Fails with kMalformed when `value` is no object or has a
  /// key twice.
  static Result<JsonObject> of(JsonValue value, std::string_view what);

  std::optional<JsonValue> find(std::string_view key) const;
  Result<JsonValue> get(std::string_view key) const;
  /// In the order of the file, nulls included.
  const std::vector<std::pair<std::string_view, JsonValue>>& fields() const { return fields_; }

  Result<std::string> get_string(std::string_view key) const;
  Result<int64_t> get_int(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<simdjson::dom::array> get_array(std::string_view key) const;
  Result<JsonObject> get_object(std::string_view key) const;

 private:
  std::string_view what_;
  std::vector<std::pair<std::string_view, JsonValue>> fields_;
};

/// One alternative of a union: {"as_int": 5}. Older files pad it with nulls or write {"$type": .., "$value":
/// ..}.
struct JsonUnion {
  std::string_view tag;
  JsonValue value;
};
Result<JsonUnion> json_union(JsonValue value, std::string_view what);

Result<std::string_view> json_string(JsonValue value, std::string_view what);
Result<int64_t> json_int(JsonValue value, std::string_view what);
Result<bool> json_bool(JsonValue value, std::string_view what);
/// A number, or one of the strings "Infinity", "-Infinity" and "NaN" (which JSON cannot say).
Result<double> json_float(JsonValue value, std::string_view what);
Result<simdjson::dom::array> json_array(JsonValue value, std::string_view what);

/// Reads each item of an array with `read(JsonValue) -> Result<T>`.
template <class T, class Read>
Result<std::vector<T>> json_list(JsonValue value, std::string_view what, Read&& read) {
  auto array = json_array(value, what);
  if (!array.ok()) return std::move(array.error());
  std::vector<T> items;
  for (JsonValue item : *array) {
    Result<T> result = read(item);
    if (!result.ok()) return std::move(result.error());
    items.push_back(std::move(*result));
  }
  return items;
}

}  // namespace tenon::pt2
