#include "ir/attributes.h"

#include <algorithm>

namespace tenon {

namespace {

template <class T>
T get(const Attributes& attributes, std::string_view name, T fallback) {
  const AttributeValue* value = attributes.find(name);
  if (const T* typed = value ? std::get_if<T>(value) : nullptr) return *typed;
  return fallback;
}

}  // namespace

void Attributes::set(std::string_view name, AttributeValue value) {
  for (auto& item : items_) {
    if (item.first == name) {
      item.second = std::move(value);
      return;
    }
  }
  items_.emplace_back(name, std::move(value));
}

void Attributes::erase(std::string_view name) {
  std::erase_if(items_, [&](const auto& item) { return item.first == name; });
}

const AttributeValue* Attributes::find(std::string_view name) const {
  for (const auto& item : items_)
    if (item.first == name) return &item.second;
  return nullptr;
}

int64_t Attributes::integer(std::string_view name, int64_t fallback) const {
  return get(*this, name, fallback);
}
float Attributes::real(std::string_view name, float fallback) const {
  return get(*this, name, fallback);
}
std::string Attributes::string(std::string_view name, std::string_view fallback) const {
  return get(*this, name, std::string(fallback));
}
std::vector<int64_t> Attributes::integers(std::string_view name) const {
  return get(*this, name, std::vector<int64_t>{});
}
std::vector<float> Attributes::reals(std::string_view name) const {
  return get(*this, name, std::vector<float>{});
}
std::vector<std::string> Attributes::strings(std::string_view name) const {
  return get(*this, name, std::vector<std::string>{});
}
const Tensor* Attributes::tensor(std::string_view name) const {
  const AttributeValue* value = find(name);
  return value ? std::get_if<Tensor>(value) : nullptr;
}

}  // namespace tenon
