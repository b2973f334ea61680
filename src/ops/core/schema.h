// Schemas of ONNX operators: names, versions, inputs, outputs, attributes and allowed types, generated from
// the pinned onnx package into schemas.inc by tools/gen_schemas.py. Facts only; code hangs on OpDef.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tenon/tensor.h"

namespace tenon::ops {

inline constexpr int kNewestOpset = 28;  ///< ai.onnx of the pinned onnx package.
/// The oldest version for which every upgrade is right; older models are read where that is cheap.
inline constexpr int kOldestOpset = 7;

/// A set of types that a parameter may have.
struct TypeSet {
  uint32_t tensors = 0;             ///< Bit DataType: tensor(T).
  uint32_t sequences = 0;           ///< Bit DataType: seq(tensor(T)).
  uint32_t optionals = 0;           ///< Bit DataType: optional(tensor(T)).
  uint32_t optional_sequences = 0;  ///< Bit DataType: optional(seq(tensor(T))).
  bool others = false;              ///< Maps, or sequences of maps, are allowed as well.

  constexpr bool has_tensor(DataType type) const { return (tensors >> static_cast<unsigned>(type)) & 1u; }
};

struct SchemaParameter {
  enum class Option : uint8_t { kSingle, kOptional, kVariadic };
  std::string_view name;
  Option option;
  bool homogeneous;       ///< Of a variadic: all of one type.
  std::string_view type;  ///< "T" (a constraint) or "tensor(int64)".
  TypeSet types;
};

struct SchemaAttribute {
  enum class Default : uint8_t { kNone, kInt, kFloat, kString, kInts, kStrings };
  std::string_view name;
  uint8_t kind;  ///< AttributeProto.AttributeType, as onnx::Attribute::Kind.
  bool required;
  Default default_kind;
  int64_t default_int;
  float default_float;
  std::string_view default_string;
  std::span<const int64_t> default_ints;
  std::span<const std::string_view> default_strings;
};

inline constexpr int kAnyCount = INT32_MAX;

struct Schema {
  std::string_view domain;  ///< "" is ai.onnx.
  std::string_view name;
  int since_version;
  bool deprecated;    ///< Gone from this version on; files of older opsets may have it.
  bool has_function;  ///< ONNX gives a body in terms of other operators.
  int min_inputs, max_inputs, min_outputs, max_outputs;  ///< kAnyCount: no upper bound.
  std::span<const SchemaParameter> inputs, outputs;
  std::span<const SchemaAttribute> attributes;

  const SchemaAttribute* attribute(std::string_view attribute_name) const;
  /// The formal parameter of the i-th actual input (the last one again for variadic inputs); null beyond.
  const SchemaParameter* input(size_t i) const;
  const SchemaParameter* output(size_t i) const;
};

/// Domains are named as in files, "" and "ai.onnx" being the same; pairs of (domain, operator) that ONNX does
/// not have are simply not found.

/// The schema in force at an opset version of the domain, or null when the operator did not exist then.
const Schema* find_schema(std::string_view domain, std::string_view name, int opset);
/// All versions, oldest first; empty when the operator is unknown.
std::span<const Schema> schema_versions(std::string_view domain, std::string_view name);
/// All schemas, sorted by domain, name and version.
std::span<const Schema> all_schemas();

}  // namespace tenon::ops
