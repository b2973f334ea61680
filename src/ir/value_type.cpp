#include "ir/value_type.h"

#include <fmt/format.h>

namespace tenon {

ValueType ValueType::of(const Value& value) {
  if (value.is_tensor()) return tensor(value.tensor().type(), to_sym(value.tensor().shape()));
  if (value.is_sequence()) {
    const Sequence& sequence_value = value.sequence();
    ValueType inner_type = tensor(sequence_value.element_type);
    if (!sequence_value.items.empty() && !sequence_value.items[0].is_tensor())
      inner_type = of(sequence_value.items[0]);
    return sequence(std::move(inner_type));
  }
  if (value.is_optional())
    return optional(value.optional().value ? of(*value.optional().value) : ValueType{});
  return map(value.map().key_type, tensor(value.map().value_type));
}

std::string ValueType::to_string() const {
  switch (kind) {
    case Kind::kUnknown:
      return "?";
    case Kind::kTensor:
      return fmt::format("{}{}", element == DataType::kUndefined ? "?" : data_type_name(element),
                         shape ? tenon::to_string(*shape) : "[?]");
    case Kind::kSequence:
      return fmt::format("seq({})", inner->to_string());
    case Kind::kOptional:
      return fmt::format("optional({})", inner->to_string());
    case Kind::kMap:
      return fmt::format("map({},{})", data_type_name(element), inner->to_string());
  }
  return "?";
}

}  // namespace tenon
