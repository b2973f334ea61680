#include <gtest/gtest.h>

#include <cmath>

#include "ops/cast/cast.h"
#include "tensor/element.h"

namespace tenon::ops {
namespace {

// The texts are numpy 2.3's: str(np.float32(x)) and the like.
TEST(FormatNumber, WritesTheShortestTextOfTheType) {
  EXPECT_EQ(format_number(DataType::kFloat32, 0.1F), "0.1");
  EXPECT_EQ(format_number(DataType::kFloat64, 0.1F), "0.10000000149011612");
  EXPECT_EQ(format_number(DataType::kFloat32, 314.15926F), "314.15927");
  EXPECT_EQ(format_number(DataType::kFloat16, 0.47900390625), "0.479");
  EXPECT_EQ(format_number(DataType::kFloat64, 1), "1.0");
  EXPECT_EQ(format_number(DataType::kFloat64, -0.0), "-0.0");
  EXPECT_EQ(format_number(DataType::kFloat64, 1e15), "1000000000000000.0");
  EXPECT_EQ(format_number(DataType::kFloat64, 1e16), "1e+16");
  EXPECT_EQ(format_number(DataType::kFloat64, 1.5e-7), "1.5e-07");
  EXPECT_EQ(format_number(DataType::kFloat64, 0.0001), "0.0001");
  EXPECT_EQ(format_number(DataType::kFloat64, INFINITY), "inf");
  EXPECT_EQ(format_number(DataType::kFloat64, NAN), "nan");
}

TEST(ParseNumber, TakesWhatCastAllows) {
  EXPECT_EQ(parse_number("3.14").value(), 3.14);
  EXPECT_EQ(parse_number("1e-5").value(), 1e-5);
  EXPECT_EQ(parse_number("1E8").value(), 1e8);
  EXPECT_EQ(parse_number(" +7 ").value(), 7);
  EXPECT_EQ(parse_number("+INF").value(), INFINITY);
  EXPECT_EQ(parse_number("-inf").value(), -INFINITY);
  EXPECT_TRUE(std::isnan(parse_number("NaN").value()));
  EXPECT_EQ(parse_number("1e999").value(), INFINITY);
  EXPECT_EQ(parse_number("-1e-999").value(), 0);
  for (const char* text : {"", "Hello World!", "1.5x", "+-1", "0x10", "1,5"})
    EXPECT_FALSE(parse_number(text).ok()) << text;
}

// onnx.numpy_helper.to_float8e8m0 and the table of Cast.
TEST(Float8E8M0, RoundsAsAsked) {
  auto exponent = [](double value, bool saturate, CastOptions::Round round) {
    return int{double_to_float8e8m0(value, {saturate, round})} - 127;
  };
  using enum CastOptions::Round;
  EXPECT_EQ(exponent(1.1, true, kUp), 1);
  EXPECT_EQ(exponent(1.1, true, kDown), 0);
  EXPECT_EQ(exponent(1.1, true, kNearest), 0);
  EXPECT_EQ(exponent(1.5, true, kNearest), 1);
  EXPECT_EQ(exponent(0.25, true, kUp), -2);
  EXPECT_EQ(double_to_float8e8m0(0, {}), 0);
  EXPECT_EQ(double_to_float8e8m0(INFINITY, {}), 0xfe);
  EXPECT_EQ(double_to_float8e8m0(INFINITY, {false, kNearest}), 0xff);
  EXPECT_EQ(double_to_float8e8m0(0x1.8p127, {}), 0xfe);
  EXPECT_EQ(double_to_float8e8m0(0, {false, kNearest}), 0xff);
  EXPECT_EQ(double_to_float8e8m0(NAN, {}), 0xff);
}

}  // namespace
}  // namespace tenon::ops
