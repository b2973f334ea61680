#include "lower/aten/schema.h"

#include <algorithm>
#include <iterator>

namespace tenon::aten {

namespace {

enum Flags : uint8_t {
  kList = 1,
  kOptional = 2,
  kOptionalElements = 4,
  kWritten = 8,
  kKeywordOnly = 16,
  kDefault = 32,
};

struct PackedSlot {
  uint16_t name;  // into kStrings, like default_text
  uint16_t default_text;
  SchemaType type;
  uint8_t flags;
  uint8_t list_size;
  char alias;
};

#include "lower/aten/schemas.inc"

SchemaSlot unpack(const PackedSlot& slot) {
  return {.name = kStrings[slot.name],
          .default_text = kStrings[slot.default_text],
          .type = slot.type,
          .is_list = (slot.flags & kList) != 0,
          .is_optional = (slot.flags & kOptional) != 0,
          .optional_elements = (slot.flags & kOptionalElements) != 0,
          .keyword_only = (slot.flags & kKeywordOnly) != 0,
          .is_written = (slot.flags & kWritten) != 0,
          .has_default = (slot.flags & kDefault) != 0,
          .list_size = slot.list_size,
          .alias = slot.alias};
}

}  // namespace

SchemaSlot Schema::argument(size_t index) const {
  return unpack(kSlots[first_argument + index]);
}
SchemaSlot Schema::result(size_t index) const {
  return unpack(kSlots[first_return + index]);
}

size_t Schema::find_argument(std::string_view argument_name) const {
  for (size_t i = 0; i < argument_count; ++i)
    if (kStrings[kSlots[first_argument + i].name] == argument_name) return i;
  return argument_count;
}

const Schema* find_schema(std::string_view target) {
  constexpr std::string_view kNamespace = "aten.";
  if (target.substr(0, kNamespace.size()) != kNamespace) return nullptr;
  std::string_view name = target.substr(kNamespace.size());
  auto it = std::lower_bound(std::begin(kSchemas), std::end(kSchemas), name,
                             [](const Schema& schema, std::string_view key) { return schema.name < key; });
  return it != std::end(kSchemas) && it->name == name ? it : nullptr;
}

}  // namespace tenon::aten
