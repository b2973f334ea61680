#include "tensor/element.h"

#include <cmath>
#include <limits>

namespace tenon {

namespace {

// A binary floating point format of at most 16 bits, as IEEE 754 would have it but for `specials`.
struct Format {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  enum Specials {
    kIeee,       // the top exponent holds infinities and NaNs
    kNanOnly,    // all ones is NaN, no infinity (E4M3FN)
    kUnsigned0,  // the sign bit alone is NaN, no negative zero, no infinity (FNUZ)
    kFinite,     // every pattern is a number (E2M1, E2M3, E3M2)
  } specials;
};

constexpr Format kHalf{5, 10, 15, Format::kIeee};
constexpr Format kBrain{8, 7, 127, Format::kIeee};

constexpr Format small_format(DataType type) {
  switch (type) {
    case DataType::kFloat8E4M3FN:
      return {4, 3, 7, Format::kNanOnly};
    case DataType::kFloat8E4M3FNUZ:
      return {4, 3, 8, Format::kUnsigned0};
    case DataType::kFloat8E5M2:
      return {5, 2, 15, Format::kIeee};
    case DataType::kFloat8E5M2FNUZ:
      return {5, 2, 16, Format::kUnsigned0};
    case DataType::kFloat4E2M1:
      return {2, 1, 1, Format::kFinite};
    case DataType::kFloat6E2M3:
      return {2, 3, 1, Format::kFinite};
    case DataType::kFloat6E3M2:
      return {3, 2, 3, Format::kFinite};
    default:
      return kHalf;
  }
}

double decode(const Format& f, uint32_t bits) {
  const uint32_t mantissa_mask = (1u << f.mantissa_bits) - 1;
  const uint32_t exponent_mask = (1u << f.exponent_bits) - 1;
  const uint32_t sign_bit = 1u << (f.exponent_bits + f.mantissa_bits);
  const bool negative = bits & sign_bit;
  const uint32_t exponent = (bits >> f.mantissa_bits) & exponent_mask;
  const uint32_t mantissa = bits & mantissa_mask;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (f.specials == Format::kUnsigned0 && (bits & (2 * sign_bit - 1)) == sign_bit) return nan;
  if (f.specials == Format::kNanOnly && exponent == exponent_mask && mantissa == mantissa_mask) return nan;
  double magnitude;
  if (f.specials == Format::kIeee && exponent == exponent_mask) {
    if (mantissa != 0) return nan;
    magnitude = std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    magnitude = std::ldexp(mantissa, 1 - f.bias - f.mantissa_bits);
  } else {
    magnitude =
        std::ldexp(mantissa | (1u << f.mantissa_bits), static_cast<int>(exponent) - f.bias - f.mantissa_bits);
  }
  return negative ? -magnitude : magnitude;
}

// The largest finite pattern without its sign.
uint32_t largest(const Format& f) {
  const uint32_t all = (1u << (f.exponent_bits + f.mantissa_bits)) - 1;
  if (f.specials == Format::kIeee) return all - (1u << f.mantissa_bits);
  if (f.specials == Format::kNanOnly) return all - 1;
  return all;
}

uint32_t encode(const Format& f, double value, Overflow overflow) {
  const uint32_t sign_bit = 1u << (f.exponent_bits + f.mantissa_bits);
  const uint32_t sign = std::signbit(value) ? sign_bit : 0;
  const uint32_t all = sign_bit - 1;
  const uint32_t infinity = all ^ ((1u << f.mantissa_bits) - 1);
  if (std::isnan(value)) {
    switch (f.specials) {
      case Format::kIeee:
        return sign | infinity | (1u << (f.mantissa_bits - 1)) |
               (f.mantissa_bits == 2 ? 1u : 0u);  // E5M2's NaN is all ones, as in ONNX
      case Format::kNanOnly:
        return sign | all;
      case Format::kUnsigned0:
        return sign_bit;
      case Format::kFinite:
        return sign_bit;  // -0, as ONNX says for float4e2m1
    }
  }
  auto too_large = [&]() -> uint32_t {
    if (f.specials == Format::kFinite) return sign | largest(f);
    if (overflow == Overflow::kSaturate) return sign | largest(f);
    switch (f.specials) {
      case Format::kIeee:
        return sign | infinity;
      case Format::kNanOnly:
        return sign | all;
      default:
        return sign_bit;
    }
  };
  const double magnitude = std::fabs(value);
  if (std::isinf(magnitude)) return too_large();
  if (magnitude == 0) return f.specials == Format::kUnsigned0 ? 0 : sign;
  int exponent;
  std::frexp(magnitude, &exponent);               // magnitude = m * 2^exponent, m in [0.5, 1)
  exponent = std::max(exponent - 1, 1 - f.bias);  // unbiased, subnormals share the smallest
  double units = std::nearbyint(std::ldexp(magnitude, f.mantissa_bits - exponent));  // ties to even
  auto integer = static_cast<uint64_t>(units);
  if (integer == 0) return f.specials == Format::kUnsigned0 ? 0 : sign;
  uint64_t pattern = integer < (1u << f.mantissa_bits)
                         ? integer
                         : integer + (static_cast<uint64_t>(exponent + f.bias - 1) << f.mantissa_bits);
  if (pattern > largest(f)) return too_large();
  return sign | static_cast<uint32_t>(pattern);
}

template <class Stored, class T>
void load_as(const std::byte* data, int64_t begin, int64_t count, T* out) {
  const auto* values = reinterpret_cast<const Stored*>(data) + begin;
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(values[i]);
}

template <class Stored, class T>
void store_as(std::byte* data, int64_t begin, int64_t count, const T* values) {
  auto* out = reinterpret_cast<Stored*>(data) + begin;
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, double> && std::is_integral_v<Stored>) {
      // Out-of-range conversions are undefined in C++; go through int64 as x86 does, wrapping the low bits.
      double v = values[i];
      if (std::is_same_v<Stored, uint64_t> && v >= 9223372036854775808.0)
        out[i] = v < 18446744073709551616.0 ? static_cast<Stored>(static_cast<uint64_t>(v)) : Stored{0};
      else
        out[i] = (v > -9223372036854775809.0 && v < 9223372036854775808.0)
                     ? static_cast<Stored>(static_cast<int64_t>(v))
                     : static_cast<Stored>(std::numeric_limits<int64_t>::min());
    } else {
      out[i] = static_cast<Stored>(values[i]);
    }
  }
}

template <class T>
double real_of(T value) {
  if constexpr (std::is_same_v<T, std::complex<double>>)
    return value.real();
  else
    return static_cast<double>(value);
}

template <class T>
T from_real(double value) {
  if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, uint64_t>) {
    T out;
    store_as<T>(reinterpret_cast<std::byte*>(&out), 0, 1, &value);
    return out;
  } else {
    return T(value);
  }
}

int sign_extend(uint8_t bits, int width) {
  int value = bits & ((1 << width) - 1);
  return value >= (1 << (width - 1)) ? value - (1 << width) : value;
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

float float16_to_float(uint16_t bits) {
  // Shift exponent and mantissa into place, then scale by 2^112 (exact, subnormals included).
  uint32_t magnitude = static_cast<uint32_t>(bits & 0x7fff) << 13;
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  if (magnitude >= 0x0f800000) return std::bit_cast<float>(sign | magnitude | 0x70000000u | 0x7f800000u);
  float scaled = std::bit_cast<float>(magnitude) * std::bit_cast<float>(0x77800000u);  // 2^112
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(scaled));
}

uint16_t double_to_float16(double value) {
  return static_cast<uint16_t>(encode(kHalf, value, Overflow::kInfinity));
}
uint16_t float_to_float16(float value) {
  return double_to_float16(value);
}
uint16_t double_to_bfloat16(double value) {
  return static_cast<uint16_t>(encode(kBrain, value, Overflow::kInfinity));
}

double small_float_to_double(DataType type, uint8_t bits) {
  if (type == DataType::kFloat8E8M0)
    return bits == 0xff ? std::numeric_limits<double>::quiet_NaN() : std::ldexp(1.0, bits - 127);
  return decode(small_format(type), bits);
}

uint8_t double_to_small_float(DataType type, double value, Overflow overflow) {
  if (type == DataType::kFloat8E8M0) {
    if (std::isnan(value) || value < 0) return 0xff;
    if (std::isinf(value)) return overflow == Overflow::kSaturate ? 0xfe : 0xff;
    if (value == 0) return 0;
    int exponent;
    double mantissa = std::frexp(value, &exponent);  // in [0.5, 1): round to the nearest power of two
    int power = exponent - 1 + (mantissa >= 0.75 ? 1 : 0) + 127;
    if (power > 0xfe) return overflow == Overflow::kSaturate ? 0xfe : 0xff;
    return static_cast<uint8_t>(std::max(power, 0));
  }
  return static_cast<uint8_t>(encode(small_format(type), value, overflow));
}

template <class T>
void load_elements(DataType type, const std::byte* data, int64_t begin, int64_t count, T* out) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(data);
  switch (type) {
    case DataType::kFloat32: {
      const auto* values = reinterpret_cast<const float*>(data) + begin;
      for (int64_t i = 0; i < count; ++i) out[i] = from_real<T>(values[i]);
      return;
    }
    case DataType::kFloat64: {
      const auto* values = reinterpret_cast<const double*>(data) + begin;
      for (int64_t i = 0; i < count; ++i) out[i] = from_real<T>(values[i]);
      return;
    }
    case DataType::kFloat16: {
      const auto* values = reinterpret_cast<const uint16_t*>(data) + begin;
      for (int64_t i = 0; i < count; ++i) out[i] = from_real<T>(float16_to_float(values[i]));
      return;
    }
    case DataType::kBFloat16: {
      const auto* values = reinterpret_cast<const uint16_t*>(data) + begin;
      for (int64_t i = 0; i < count; ++i) out[i] = from_real<T>(bfloat16_to_float(values[i]));
      return;
    }
    case DataType::kFloat8E4M3FN:
    case DataType::kFloat8E4M3FNUZ:
    case DataType::kFloat8E5M2:
    case DataType::kFloat8E5M2FNUZ:
    case DataType::kFloat8E8M0:
    case DataType::kFloat4E2M1:
    case DataType::kFloat6E2M3:
    case DataType::kFloat6E3M2:
      for (int64_t i = 0; i < count; ++i)
        out[i] = from_real<T>(small_float_to_double(type, bytes[begin + i]));
      return;
    case DataType::kInt8:
      return load_as<int8_t>(data, begin, count, out);
    case DataType::kInt16:
      return load_as<int16_t>(data, begin, count, out);
    case DataType::kInt32:
      return load_as<int32_t>(data, begin, count, out);
    case DataType::kInt64:
      return load_as<int64_t>(data, begin, count, out);
    case DataType::kBool:
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(bytes[begin + i] != 0 ? 1 : 0);
      return;
    case DataType::kUInt8:
      return load_as<uint8_t>(data, begin, count, out);
    case DataType::kUInt16:
      return load_as<uint16_t>(data, begin, count, out);
    case DataType::kUInt32:
      return load_as<uint32_t>(data, begin, count, out);
    case DataType::kUInt64:
      return load_as<uint64_t>(data, begin, count, out);
    case DataType::kUInt4:
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(bytes[begin + i] & 15);
      return;
    case DataType::kUInt2:
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(bytes[begin + i] & 3);
      return;
    case DataType::kInt4:
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(sign_extend(bytes[begin + i], 4));
      return;
    case DataType::kInt2:
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(sign_extend(bytes[begin + i], 2));
      return;
    case DataType::kComplex64:
    case DataType::kComplex128:
      for (int64_t i = 0; i < count; ++i) {
        std::complex<double> value =
            type == DataType::kComplex64
                ? std::complex<double>(reinterpret_cast<const std::complex<float>*>(data)[begin + i])
                : reinterpret_cast<const std::complex<double>*>(data)[begin + i];
        if constexpr (std::is_same_v<T, std::complex<double>>)
          out[i] = value;
        else
          out[i] = from_real<T>(value.real());
      }
      return;
    case DataType::kString:
    case DataType::kUndefined:
      return;
  }
}

template <class T>
void store_elements(DataType type, std::byte* data, int64_t begin, int64_t count, const T* values) {
  auto* bytes = reinterpret_cast<uint8_t*>(data);
  auto* halves = reinterpret_cast<uint16_t*>(data);
  auto store_integers = [&]<class Stored>(Stored) {
    if constexpr (std::is_same_v<T, std::complex<double>>) {
      for (int64_t i = 0; i < count; ++i) {
        double real = values[i].real();
        store_as<Stored>(data, begin + i, 1, &real);
      }
    } else {
      store_as<Stored>(data, begin, count, values);
    }
  };
  switch (type) {
    case DataType::kFloat32:
      for (int64_t i = 0; i < count; ++i)
        reinterpret_cast<float*>(data)[begin + i] = static_cast<float>(real_of(values[i]));
      return;
    case DataType::kFloat64:
      for (int64_t i = 0; i < count; ++i) reinterpret_cast<double*>(data)[begin + i] = real_of(values[i]);
      return;
    case DataType::kFloat16:
      for (int64_t i = 0; i < count; ++i) halves[begin + i] = double_to_float16(real_of(values[i]));
      return;
    case DataType::kBFloat16:
      for (int64_t i = 0; i < count; ++i) halves[begin + i] = double_to_bfloat16(real_of(values[i]));
      return;
    case DataType::kFloat8E4M3FN:
    case DataType::kFloat8E4M3FNUZ:
    case DataType::kFloat8E5M2:
    case DataType::kFloat8E5M2FNUZ:
    case DataType::kFloat8E8M0:
    case DataType::kFloat4E2M1:
    case DataType::kFloat6E2M3:
    case DataType::kFloat6E3M2:
      for (int64_t i = 0; i < count; ++i)
        bytes[begin + i] = double_to_small_float(type, real_of(values[i]), Overflow::kSaturate);
      return;
    case DataType::kBool:
      for (int64_t i = 0; i < count; ++i) bytes[begin + i] = values[i] != T(0) ? 1 : 0;
      return;
    case DataType::kInt8:
      return store_integers(int8_t{});
    case DataType::kInt16:
      return store_integers(int16_t{});
    case DataType::kInt32:
      return store_integers(int32_t{});
    case DataType::kInt64:
      return store_integers(int64_t{});
    case DataType::kUInt8:
      return store_integers(uint8_t{});
    case DataType::kUInt16:
      return store_integers(uint16_t{});
    case DataType::kUInt32:
      return store_integers(uint32_t{});
    case DataType::kUInt64:
      return store_integers(uint64_t{});
    case DataType::kUInt4:
    case DataType::kInt4:
    case DataType::kUInt2:
    case DataType::kInt2: {
      store_integers(uint8_t{});
      const auto mask = static_cast<uint8_t>((1 << element_bits(type)) - 1);
      for (int64_t i = 0; i < count; ++i) bytes[begin + i] &= mask;
      return;
    }
    case DataType::kComplex64:
      for (int64_t i = 0; i < count; ++i) {
        if constexpr (std::is_same_v<T, std::complex<double>>)
          reinterpret_cast<std::complex<float>*>(data)[begin + i] = std::complex<float>(values[i]);
        else
          reinterpret_cast<std::complex<float>*>(data)[begin + i] = static_cast<float>(values[i]);
      }
      return;
    case DataType::kComplex128:
      for (int64_t i = 0; i < count; ++i) {
        if constexpr (std::is_same_v<T, std::complex<double>>)
          reinterpret_cast<std::complex<double>*>(data)[begin + i] = values[i];
        else
          reinterpret_cast<std::complex<double>*>(data)[begin + i] = static_cast<double>(values[i]);
      }
      return;
    case DataType::kString:
    case DataType::kUndefined:
      return;
  }
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
