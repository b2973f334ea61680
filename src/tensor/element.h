// How one element of each type is read and written: the only place that knows the bits of float16, bfloat16
// and the types of a byte or less. Arithmetic goes through three compute types: double (all real floats),
// int64_t / uint64_t (integers and bool), std::complex<double>.
#pragma once

#include <bit>
#include <complex>
#include <cstdint>

#include "tenon/tensor.h"

namespace tenon {

/// Which compute type holds every value of an element type exactly.
enum class ComputeKind : uint8_t { kFloat, kSigned, kUnsigned, kComplex, kString };
ComputeKind compute_kind(DataType type);
inline bool is_float(DataType type) {
  return compute_kind(type) == ComputeKind::kFloat;
}
inline bool is_integer(DataType type) {
  ComputeKind kind = compute_kind(type);
  return type != DataType::kBool && (kind == ComputeKind::kSigned || kind == ComputeKind::kUnsigned);
}

float float16_to_float(uint16_t bits);
/// Rounds to nearest even; overflow becomes infinity.
uint16_t float_to_float16(float value);
/// Rounds a double to float16 once (not through float32).
uint16_t double_to_float16(double value);
inline float bfloat16_to_float(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}
/// Rounds to nearest even.
uint16_t double_to_bfloat16(double value);

/// How a float that is too large for a float8 is stored: as the largest finite value, or as infinity / NaN.
enum class Overflow : uint8_t { kSaturate, kInfinity };

/// The value of one element of a float8, float6 or float4 type. `bits` in the low bits.
double small_float_to_double(DataType type, uint8_t bits);
/// Rounds to nearest even. Follows ONNX's tables for Cast to float8 (infinity and NaN included).
uint8_t double_to_small_float(DataType type, double value, Overflow overflow);

/// Reads `count` elements, starting at element `begin`, into compute type T (double, int64_t, uint64_t or
/// std::complex<double>), converting as C++ does when the kinds differ. `data` is the tensor's buffer.
template <class T>
void load_elements(DataType type, const std::byte* data, int64_t begin, int64_t count, T* out);
/// The inverse. Floats round to nearest even (float8 saturate); integers keep their low bits.
template <class T>
void store_elements(DataType type, std::byte* data, int64_t begin, int64_t count, const T* values);

template <class T>
T load_element(const Tensor& tensor, int64_t index) {
  T value;
  load_elements<T>(tensor.type(), tensor.raw(), index, 1, &value);
  return value;
}
template <class T>
void store_element(Tensor& tensor, int64_t index, T value) {
  store_elements<T>(tensor.type(), tensor.mutable_raw(), index, 1, &value);
}

/// All elements of an integer or bool tensor as int64.
std::vector<int64_t> to_ints(const Tensor& tensor);
/// All elements of a numeric tensor as double.
std::vector<double> to_doubles(const Tensor& tensor);

}  // namespace tenon
