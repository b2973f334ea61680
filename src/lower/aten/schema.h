// The signatures of ATen operators: argument names, types, defaults and which arguments are written or
// aliased. Generated from PyTorch's native_functions.yaml by tools/gen_aten_schemas.py into schemas.inc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tenon::aten {

enum class SchemaType : uint8_t {
  kTensor,
  kInt,  ///< int, SymInt, Dimname-free indices
  kFloat,
  kBool,
  kScalar,  ///< bool, int, float or complex
  kString,
  kScalarType,
  kLayout,
  kMemoryFormat,
  kDevice,
  kGenerator,
  kOther,  ///< Stream, Storage, Dimname: nothing that an exported program can hold.
};

struct SchemaArgument {
  std::string_view name;
  SchemaType type;
  bool is_list;            ///< Tensor[], int[], int[2], Tensor?[]
  bool is_optional;        ///< None may be given: Tensor?, int[]?
  bool optional_elements;  ///< Tensor?[]
  uint8_t list_size;       ///< int[2]: one integer stands for as many; 0 when the length is free.
  bool keyword_only;
  bool is_written;  ///< Tensor(a!): the operator writes into it.
  char alias;       ///< The letter of the alias set, 'a' in Tensor(a) and Tensor(a!); 0 when there is none.
  bool has_default;
  std::string_view default_text;  ///< "1", "1e-05", "True", "None", "[0,1]", "contiguous_format", "Mean".
};

struct SchemaReturn {
  SchemaType type;
  bool is_list;
  bool is_written;
  char alias;  ///< The result shares memory with the argument that has the same letter.
};

struct Schema {
  std::string_view target;  ///< "aten.conv2d.default"
  std::span<const SchemaArgument> arguments;
  std::span<const SchemaReturn> returns;
};

/// The schema of "aten.conv2d.default" (namespace, operator, overload), or null when the table has none.
const Schema* find_schema(std::string_view target);

}  // namespace tenon::aten
