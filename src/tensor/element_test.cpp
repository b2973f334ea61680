#include "tensor/element.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace tenon {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
T load(DataType type, std::initializer_list<uint8_t> bytes) {
  std::array<std::byte, 16> buffer{};
  size_t n = 0;
  for (uint8_t byte : bytes) buffer[n++] = std::byte{byte};
  T value;
  load_elements<T>(type, buffer.data(), 0, 1, &value);
  return value;
}

template <class T>
uint64_t stored(DataType type, T value) {
  alignas(16) std::array<std::byte, 16> buffer{};
  store_elements<T>(type, buffer.data(), 0, 1, &value);
  uint64_t bits = 0;
  for (size_t i = 8; i-- > 0;) bits = bits << 8 | static_cast<uint64_t>(buffer[i]);
  return bits;
}

// IEEE 754's table of binary16, and bfloat16 as the upper half of binary32.
TEST(Element, SixteenBitFloats) {
  EXPECT_EQ(load<double>(DataType::kFloat16, {0x00, 0x3c}), 1.0);
  EXPECT_EQ(load<double>(DataType::kFloat16, {0xff, 0x7b}), 65504.0);
  EXPECT_EQ(load<double>(DataType::kFloat16, {0x01, 0x80}), -std::ldexp(1.0, -24));
  EXPECT_EQ(load<double>(DataType::kFloat16, {0x00, 0xfc}), -kInfinity);
  EXPECT_EQ(stored(DataType::kFloat16, 65519.0), 0x7bffu);  // below half way to the next
  EXPECT_EQ(stored(DataType::kFloat16, 65520.0), 0x7c00u);
  EXPECT_EQ(stored(DataType::kFloat16, std::ldexp(1.0, -25)), 0u);  // a tie goes to even
  EXPECT_EQ(stored(DataType::kFloat16, std::ldexp(1.5, -25)), 1u);
  EXPECT_EQ(stored(DataType::kBFloat16, 1.0 + std::ldexp(1.0, -8)), 0x3f80u);
  EXPECT_EQ(stored(DataType::kBFloat16, 1.0 + std::ldexp(3.0, -8)), 0x3f82u);
}

// The tables of ONNX's Cast (docs/docsgen/source/technical/float8.md, float4.md).
TEST(Element, SmallFloats) {
  EXPECT_EQ(stored(DataType::kFloat8E4M3FN, 1e9), 0x7eu);
  EXPECT_EQ(load<double>(DataType::kFloat8E4M3FN, {0x7e}), 448.0);
  EXPECT_EQ(load<double>(DataType::kFloat8E5M2, {0x7b}), 57344.0);
  EXPECT_TRUE(std::isnan(load<double>(DataType::kFloat8E4M3FNUZ, {0x80})));
  EXPECT_EQ(stored(DataType::kFloat4E2M1, 5.1), 0x7u);
  EXPECT_EQ(load<double>(DataType::kFloat4E2M1, {0x7}), 6.0);
  EXPECT_EQ(load<double>(DataType::kFloat8E8M0, {0x80}), 2.0);
}

TEST(Element, IntegersBelowAByteKeepTheirSign) {
  EXPECT_EQ(load<int64_t>(DataType::kInt4, {0x0f}), -1);
  EXPECT_EQ(load<int64_t>(DataType::kInt4, {0x08}), -8);
  EXPECT_EQ(load<int64_t>(DataType::kUInt4, {0x0f}), 15);
  EXPECT_EQ(load<int64_t>(DataType::kInt2, {0x02}), -2);
  EXPECT_EQ(stored<int64_t>(DataType::kInt4, -3), 0x0du);
  EXPECT_EQ(stored<int64_t>(DataType::kUInt2, 7), 3u);
}

TEST(Element, NumbersOfOneKindBecomeNumbersOfAnother) {
  EXPECT_EQ(stored(DataType::kInt32, -1.9), 0xffffffffu);  // towards zero
  EXPECT_EQ(stored(DataType::kInt64, 1e30), uint64_t{1} << 63);
  EXPECT_EQ(stored(DataType::kUInt64, 1e19), uint64_t{10000000000000000000u});
  EXPECT_EQ(stored(DataType::kBool, 0.5), 1u);
  EXPECT_EQ(stored(DataType::kUInt8, int64_t{-1}), 0xffu);
  EXPECT_EQ(stored(DataType::kInt16, std::complex<double>(7.5, 3)), 7u);
  EXPECT_EQ(load<std::complex<double>>(DataType::kBool, {1}), std::complex<double>(1, 0));
  EXPECT_EQ(load<uint64_t>(DataType::kInt8, {0xff}), ~uint64_t{0});
}

}  // namespace
}  // namespace tenon
