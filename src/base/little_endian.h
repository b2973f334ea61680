// Integers of file formats that are little-endian and need not be aligned.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace tenon {

static_assert(std::endian::native == std::endian::little, "tenon maps little-endian files as they are");

/// The T at `bytes`, which holds at least sizeof(T) bytes at any alignment.
template <class T>
T load_little(const std::byte* bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

}  // namespace tenon
