// Dispatch on the width of an element: what code that only moves data, and never looks at it, is written
// with.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "tenon/tensor.h"

namespace tenon {

/// An element of 16 bytes (complex128).
struct alignas(16) Bytes16 {
  uint64_t low, high;
};

/// Calls f(std::type_identity<T>{}) with a T that has the size of the element type and copies like it:
/// an unsigned integer, Bytes16 or std::string. `type` is not kUndefined.
template <class F>
decltype(auto) by_width(DataType type, F&& f) {
  if (type == DataType::kString) return f(std::type_identity<std::string>{});
  switch (element_size(type)) {
    case 2:
      return f(std::type_identity<uint16_t>{});
    case 4:
      return f(std::type_identity<uint32_t>{});
    case 8:
      return f(std::type_identity<uint64_t>{});
    case 16:
      return f(std::type_identity<Bytes16>{});
    default:
      return f(std::type_identity<uint8_t>{});
  }
}

}  // namespace tenon
