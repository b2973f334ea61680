// PyTorch's element types by the names that its files use, and the tenon types that hold the same bits.
#pragma once

#include <cstddef>
#include <string_view>

#include "tenon/tensor.h"

namespace tenon {

/// One of PyTorch's element types.
struct TorchScalarType {
  std::string_view name;  ///< As in Python, without "torch.": "float32".
  std::string_view
      storage_name;  ///< The storage class that implies it, "FloatStorage"; empty when none does.
  size_t bytes = 0;  ///< That one element takes in a storage.
  DataType type =
      DataType::kUndefined;  ///< kUndefined where tenon has no such type: quantized, complex32, bits.
};

/// By name: "float32", "qint8". Null when PyTorch has no such type.
const TorchScalarType* find_scalar_type(std::string_view name);
/// By the name of a typed storage class: "FloatStorage". Null when there is none.
const TorchScalarType* find_storage_type(std::string_view storage_name);

}  // namespace tenon
