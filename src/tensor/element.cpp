#include "tensor/element.h"

#include <limits>
#include <type_traits>

namespace tenon {

namespace {

template <class T>
constexpr bool kIsComplex = std::is_same_v<T, std::complex<double>>;

/// Out-of-range conversions are undefined in C++; these go through int64 as x86 does.
template <class To>
To to_integer(double value) {
  if (std::is_same_v<To, uint64_t> && value >= 9223372036854775808.0)
    return value < 18446744073709551616.0 ? static_cast<To>(static_cast<uint64_t>(value)) : To{0};
  if (value > -9223372036854775809.0 && value < 9223372036854775808.0)
    return static_cast<To>(static_cast<int64_t>(value));
  return static_cast<To>(std::numeric_limits<int64_t>::min());
}

/// Between the compute types, and to and from bool: complex numbers lose their imaginary part, integers keep
/// their low bits, what is not zero is true.
template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<To, From>)
    return value;
  else if constexpr (std::is_same_v<To, bool>)
    return value != From(0);
  else if constexpr (kIsComplex<From>)
    return convert<To>(value.real());
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return to_integer<To>(value);
  else if constexpr (kIsComplex<To>)
    return To(static_cast<double>(value));
  else
    return static_cast<To>(value);
}

// A codec says how the elements of a type lie in a buffer: `Number` is the compute type that holds them.

template <class Stored, class NumberType>
struct PlainCodec {
  using Number = NumberType;
  static Number load(const std::byte* data, int64_t i) {
    return static_cast<Number>(reinterpret_cast<const Stored*>(data)[i]);
  }
  static void store(std::byte* data, int64_t i, Number value) {
    reinterpret_cast<Stored*>(data)[i] = static_cast<Stored>(value);
  }
};

struct BoolCodec {
  using Number = bool;
  static bool load(const std::byte* data, int64_t i) { return data[i] != std::byte{0}; }
  static void store(std::byte* data, int64_t i, bool value) { data[i] = std::byte{value}; }
};

struct Float16Codec {
  using Number = double;
  static double load(const std::byte* data, int64_t i) {
    return static_cast<double>(float16_to_float(reinterpret_cast<const uint16_t*>(data)[i]));
  }
  static void store(std::byte* data, int64_t i, double value) {
    reinterpret_cast<uint16_t*>(data)[i] = double_to_float16(value);
  }
};

struct BFloat16Codec {
  using Number = double;
  static double load(const std::byte* data, int64_t i) {
    return static_cast<double>(bfloat16_to_float(reinterpret_cast<const uint16_t*>(data)[i]));
  }
  static void store(std::byte* data, int64_t i, double value) {
    reinterpret_cast<uint16_t*>(data)[i] = double_to_bfloat16(value);
  }
};

struct SmallFloatCodec {
  using Number = double;
  DataType type;
  double load(const std::byte* data, int64_t i) const {
    return small_float_to_double(type, static_cast<uint8_t>(data[i]));
  }
  void store(std::byte* data, int64_t i, double value) const {
    data[i] = std::byte{double_to_small_float(type, value, Overflow::kSaturate)};
  }
};

/// Integers of 2 and 4 bits, each in the low bits of a byte of its own.
template <int kBits, class NumberType>
struct NarrowCodec {
  using Number = NumberType;
  static constexpr int kMask = (1 << kBits) - 1;
  static Number load(const std::byte* data, int64_t i) {
    const int bits = static_cast<int>(data[i]) & kMask;
    const bool negative = std::is_signed_v<Number> && bits > kMask / 2;
    return static_cast<Number>(negative ? bits - kMask - 1 : bits);
  }
  static void store(std::byte* data, int64_t i, Number value) {
    data[i] = static_cast<std::byte>(static_cast<uint64_t>(value) & kMask);
  }
};

/// Calls f(codec); not for types whose elements are no numbers.
template <class F>
void with_codec(DataType type, F f) {
  switch (type) {
    case DataType::kFloat32:
      return f(PlainCodec<float, double>{});
    case DataType::kFloat64:
      return f(PlainCodec<double, double>{});
    case DataType::kFloat16:
      return f(Float16Codec{});
    case DataType::kBFloat16:
      return f(BFloat16Codec{});
    case DataType::kFloat8E4M3FN:
    case DataType::kFloat8E4M3FNUZ:
    case DataType::kFloat8E5M2:
    case DataType::kFloat8E5M2FNUZ:
    case DataType::kFloat8E8M0:
    case DataType::kFloat4E2M1:
    case DataType::kFloat6E2M3:
    case DataType::kFloat6E3M2:
      return f(SmallFloatCodec{type});
    case DataType::kInt8:
      return f(PlainCodec<int8_t, int64_t>{});
    case DataType::kInt16:
      return f(PlainCodec<int16_t, int64_t>{});
    case DataType::kInt32:
      return f(PlainCodec<int32_t, int64_t>{});
    case DataType::kInt64:
      return f(PlainCodec<int64_t, int64_t>{});
    case DataType::kUInt8:
      return f(PlainCodec<uint8_t, uint64_t>{});
    case DataType::kUInt16:
      return f(PlainCodec<uint16_t, uint64_t>{});
    case DataType::kUInt32:
      return f(PlainCodec<uint32_t, uint64_t>{});
    case DataType::kUInt64:
      return f(PlainCodec<uint64_t, uint64_t>{});
    case DataType::kInt4:
      return f(NarrowCodec<4, int64_t>{});
    case DataType::kInt2:
      return f(NarrowCodec<2, int64_t>{});
    case DataType::kUInt4:
      return f(NarrowCodec<4, uint64_t>{});
    case DataType::kUInt2:
      return f(NarrowCodec<2, uint64_t>{});
    case DataType::kBool:
      return f(BoolCodec{});
    case DataType::kComplex64:
      return f(PlainCodec<std::complex<float>, std::complex<double>>{});
    case DataType::kComplex128:
      return f(PlainCodec<std::complex<double>, std::complex<double>>{});
    case DataType::kString:
    case DataType::kUndefined:
      return;
  }
}

}  // namespace

ComputeKind compute_kind(DataType type) {
  switch (type) {
    case DataType::kString:
      return ComputeKind::kString;
    case DataType::kComplex64:
    case DataType::kComplex128:
      return ComputeKind::kComplex;
    case DataType::kInt8:
    case DataType::kInt16:
    case DataType::kInt32:
    case DataType::kInt64:
    case DataType::kInt4:
    case DataType::kInt2:
      return ComputeKind::kSigned;
    case DataType::kUInt8:
    case DataType::kUInt16:
    case DataType::kUInt32:
    case DataType::kUInt64:
    case DataType::kUInt4:
    case DataType::kUInt2:
    case DataType::kBool:
      return ComputeKind::kUnsigned;
    default:
      return ComputeKind::kFloat;
  }
}

template <class T>
void load_elements(DataType type, const std::byte* data, int64_t begin, int64_t count, T* out) {
  with_codec(type, [=](auto codec) {
    for (int64_t i = 0; i < count; ++i) out[i] = convert<T>(codec.load(data, begin + i));
  });
}

template <class T>
void store_elements(DataType type, std::byte* data, int64_t begin, int64_t count, const T* values) {
  with_codec(type, [=](auto codec) {
    using Number = typename decltype(codec)::Number;
    for (int64_t i = 0; i < count; ++i) codec.store(data, begin + i, convert<Number>(values[i]));
  });
}

template void load_elements(DataType, const std::byte*, int64_t, int64_t, double*);
template void load_elements(DataType, const std::byte*, int64_t, int64_t, int64_t*);
template void load_elements(DataType, const std::byte*, int64_t, int64_t, uint64_t*);
template void load_elements(DataType, const std::byte*, int64_t, int64_t, std::complex<double>*);
template void store_elements(DataType, std::byte*, int64_t, int64_t, const double*);
template void store_elements(DataType, std::byte*, int64_t, int64_t, const int64_t*);
template void store_elements(DataType, std::byte*, int64_t, int64_t, const uint64_t*);
template void store_elements(DataType, std::byte*, int64_t, int64_t, const std::complex<double>*);

std::vector<int64_t> to_ints(const Tensor& tensor) {
  std::vector<int64_t> out(static_cast<size_t>(tensor.size()));
  load_elements<int64_t>(tensor.type(), tensor.raw(), 0, tensor.size(), out.data());
  return out;
}

std::vector<double> to_doubles(const Tensor& tensor) {
  std::vector<double> out(static_cast<size_t>(tensor.size()));
  load_elements<double>(tensor.type(), tensor.raw(), 0, tensor.size(), out.data());
  return out;
}

}  // namespace tenon
