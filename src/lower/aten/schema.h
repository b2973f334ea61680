// The signatures of ATen operators: argument names, types, defaults and which arguments are written or
// aliased. Generated from PyTorch's native_functions.yaml by tools/gen_aten_schemas.py into schemas.inc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon::aten {

enum class SchemaType : uint8_t {
  kTensor,
  kInt,    ///< int, SymInt
  kFloat,  ///< float, SymFloat
  kBool,
  kScalar,  ///< bool, int, float or complex
  kString,
  kScalarType,
  kLayout,
  kMemoryFormat,
  kDevice,
  kGenerator,
};

/// An argument or a return value of a schema.
struct SchemaSlot {
  std::string_view name;  ///< Empty for return values.
  std::string_view
      default_text;  ///< As PyTorch writes it: "1", "1e-05", "True", "None", "[0,1]", "\"constant\"".
  SchemaType type;
  bool is_list;            ///< Tensor[], int[], int[2], Tensor?[]
  bool is_optional;        ///< None may be given: Tensor?, int[]?
  bool optional_elements;  ///< Tensor?[]
  bool keyword_only;
  bool is_written;  ///< Tensor(a!): the operator writes into it.
  bool has_default;
  uint8_t list_size;  ///< int[2]: one integer stands for as many. 0 when the length is free.
  char alias;  ///< The alias set: 'a' in Tensor(a) and Tensor(a!). A return value shares memory with the
               ///< argument of the same letter. 0 when there is none.
};

/// One operator. All of them live in a constant table.
struct Schema {
  std::string_view name;  ///< Without namespace, with overload: "conv2d.default".
  uint16_t first_argument;
  uint16_t first_return;
  uint8_t argument_count;
  uint8_t return_count;

  SchemaSlot argument(size_t index) const;
  SchemaSlot result(size_t index) const;
  /// The position of the argument called `argument_name`, or argument_count.
  size_t find_argument(std::string_view argument_name) const;
};

/// The schema of "aten.conv2d.default" (namespace, operator, overload), or null when the table has none.
const Schema* find_schema(std::string_view target);

}  // namespace tenon::aten
