#include "formats/torch/scalar_type.h"

#include <algorithm>
#include <array>

namespace tenon {

namespace {

/// torch.storage._dtype_to_storage_type_map() and _new_dtypes() of torch 2.13.
constexpr std::array kTypes = {
    TorchScalarType{"float32", "FloatStorage", 4, DataType::kFloat32},
    TorchScalarType{"float64", "DoubleStorage", 8, DataType::kFloat64},
    TorchScalarType{"float16", "HalfStorage", 2, DataType::kFloat16},
    TorchScalarType{"bfloat16", "BFloat16Storage", 2, DataType::kBFloat16},
    TorchScalarType{"int64", "LongStorage", 8, DataType::kInt64},
    TorchScalarType{"int32", "IntStorage", 4, DataType::kInt32},
    TorchScalarType{"int16", "ShortStorage", 2, DataType::kInt16},
    TorchScalarType{"int8", "CharStorage", 1, DataType::kInt8},
    TorchScalarType{"uint8", "ByteStorage", 1, DataType::kUInt8},
    TorchScalarType{"bool", "BoolStorage", 1, DataType::kBool},
    TorchScalarType{"complex64", "ComplexFloatStorage", 8, DataType::kComplex64},
    TorchScalarType{"complex128", "ComplexDoubleStorage", 16, DataType::kComplex128},
    TorchScalarType{"uint16", "", 2, DataType::kUInt16},
    TorchScalarType{"uint32", "", 4, DataType::kUInt32},
    TorchScalarType{"uint64", "", 8, DataType::kUInt64},
    TorchScalarType{"float8_e4m3fn", "", 1, DataType::kFloat8E4M3FN},
    TorchScalarType{"float8_e4m3fnuz", "", 1, DataType::kFloat8E4M3FNUZ},
    TorchScalarType{"float8_e5m2", "", 1, DataType::kFloat8E5M2},
    TorchScalarType{"float8_e5m2fnuz", "", 1, DataType::kFloat8E5M2FNUZ},
    TorchScalarType{"float8_e8m0fnu", "", 1, DataType::kFloat8E8M0},
    TorchScalarType{"float4_e2m1fn_x2", "", 1},
    TorchScalarType{"complex32", "", 4},
    TorchScalarType{"qint8", "QInt8Storage", 1},
    TorchScalarType{"qint32", "QInt32Storage", 4},
    TorchScalarType{"quint8", "QUInt8Storage", 1},
    TorchScalarType{"quint4x2", "QUInt4x2Storage", 1},
    TorchScalarType{"quint2x4", "QUInt2x4Storage", 1},
    TorchScalarType{"bits8", "", 1},
    TorchScalarType{"bits16", "", 2},
    TorchScalarType{"bits1x8", "", 1},
    TorchScalarType{"bits2x4", "", 1},
    TorchScalarType{"bits4x2", "", 1},
};

}  // namespace

const TorchScalarType* find_scalar_type(std::string_view name) {
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.name == name; });
  return found == kTypes.end() ? nullptr : found;
}

const TorchScalarType* find_storage_type(std::string_view storage_name) {
  if (storage_name.empty()) return nullptr;
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const auto& type) { return type.storage_name == storage_name; });
  return found == kTypes.end() ? nullptr : found;
}

}  // namespace tenon
