// Attributes of a canonical node: names to values. Once a node is in a TypedModel every attribute that its
// schema gives a default for is present, so readers need no defaults of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/value_type.h"
#include "tenon/tensor.h"

namespace tenon {

using AttributeValue = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                                    std::vector<std::string>, Tensor, std::vector<Tensor>, ValueType>;

class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<std::string, AttributeValue>> items) {
    for (const auto& [name, value] : items) set(name, value);
  }

  void set(std::string_view name, AttributeValue value);
  void erase(std::string_view name);
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const AttributeValue* find(std::string_view name) const;

  /// The value of a type, or `fallback` when absent or of another type (the schema check comes before).
  int64_t integer(std::string_view name, int64_t fallback = 0) const;
  float real(std::string_view name, float fallback = 0) const;
  std::string string(std::string_view name, std::string_view fallback = "") const;
  std::vector<int64_t> integers(std::string_view name) const;
  std::vector<float> reals(std::string_view name) const;
  std::vector<std::string> strings(std::string_view name) const;
  const Tensor* tensor(std::string_view name) const;

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  size_t size() const { return items_.size(); }

 private:
  std::vector<std::pair<std::string, AttributeValue>> items_;  // in order of setting; a handful at most
};

}  // namespace tenon
