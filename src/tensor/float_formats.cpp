// The floating point types of 16 bits and less: their bits to numbers and back.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/element.h"

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

}  // namespace

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

}  // namespace tenon
