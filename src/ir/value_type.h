// ValueType: what is known before a run about a value of a graph: its kind, element type and symbolic shape.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tenon/tensor.h"
#include "tensor/sym_int.h"

namespace tenon {

struct ValueType {
  enum class Kind : uint8_t { kUnknown, kTensor, kSequence, kOptional, kMap };
  Kind kind = Kind::kUnknown;
  DataType element = DataType::kUndefined;  ///< Of a tensor; the key type of a map. kUndefined: not known.
  std::optional<SymShape> shape;            ///< Of a tensor; nullopt: rank not known.
  std::shared_ptr<const ValueType> inner;   ///< Element of a sequence or optional, value of a map.

  static ValueType tensor(DataType element, std::optional<SymShape> shape = std::nullopt) {
    return {Kind::kTensor, element, std::move(shape), nullptr};
  }
  static ValueType sequence(ValueType inner) {
    return {Kind::kSequence, DataType::kUndefined, std::nullopt,
            std::make_shared<ValueType>(std::move(inner))};
  }
  static ValueType optional(ValueType inner) {
    return {Kind::kOptional, DataType::kUndefined, std::nullopt,
            std::make_shared<ValueType>(std::move(inner))};
  }
  static ValueType map(DataType key, ValueType inner) {
    return {Kind::kMap, key, std::nullopt, std::make_shared<ValueType>(std::move(inner))};
  }
  /// The type of a concrete value.
  static ValueType of(const Value& value);

  bool is_tensor() const { return kind == Kind::kTensor; }
  /// "float32[1,n,224]", "seq(float32[?])", "?".
  std::string to_string() const;
};

}  // namespace tenon
