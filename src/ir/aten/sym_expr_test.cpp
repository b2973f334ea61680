#include "ir/aten/sym_expr.h"

#include <gtest/gtest.h>

namespace tenon::aten {
namespace {

SymInt parse_int(std::string_view text) {
  auto expr = parse_srepr(text);
  EXPECT_TRUE(expr.ok()) << expr.error().to_string();
  auto value = to_sym_int(*expr);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(SymInt(-1));
}

// The texts are what torch 2.13 wrote.
TEST(SymExpr, ReadsWhatTorchWrites) {
  const SymInt s = SymInt::symbol("s77");
  EXPECT_EQ(parse_int("Symbol('s77', positive=True, integer=True)"), s);
  EXPECT_EQ(parse_int("FloorDiv(Symbol('s77', positive=True, integer=True), Integer(2))"), floor_div(s, 2));
  EXPECT_EQ(parse_int("Add(Mul(Integer(2), Symbol('s77', positive=True, integer=True)), Integer(-1))"),
            s * 2 - 1);
  EXPECT_EQ(parse_int("Pow(Add(Symbol('s77', integer=True), Integer(1)), Integer(2))"), s * s + s * 2 + 1);
  EXPECT_EQ(parse_int("CeilToInt(IntTrueDiv(Symbol('s77', integer=True), Integer(4)))"), ceil_div(s, 4));
  EXPECT_EQ(parse_int("Max(Integer(1), PythonMod(Symbol('u0', integer=True), Integer(8)))"),
            max(SymInt(1), mod(SymInt::symbol("u0"), 8)));
}

TEST(SymExpr, KeepsFloatsAndConditionsAsTrees) {
  auto ge = parse_srepr("GreaterThan(Symbol('u0', integer=True), Integer(4))");
  ASSERT_TRUE(ge.ok());
  EXPECT_EQ(ge->op, SymOp::kGreaterEqual);
  EXPECT_EQ(to_string(*ge), "u0 >= 4");
  EXPECT_FALSE(to_sym_int(*ge));
  auto scaled = parse_srepr(
      "TruncToInt(Mul(Float('1.5', precision=53), ToFloat(Symbol('s0', positive=True, integer=True))))");
  ASSERT_TRUE(scaled.ok()) << scaled.error().to_string();
  EXPECT_EQ(to_string(*scaled), "trunc(1.5*(float(s0)))");
  EXPECT_FALSE(to_sym_int(*scaled));
  EXPECT_EQ(parse_srepr("true")->int_value, 1);
}

TEST(SymExpr, NothingOfTheTextIsTrusted) {
  for (const char* bad : {"", "(", "Add", "Add(", "Add()", "Integer(x)", "Integer(1", "Symbol('s0'",
                          "Symbol(s0)", "Symbol('')", "FloorDiv(Integer(1))", "Integer(1))", "Rational(1, 0)",
                          "Float('x')", "Add(Integer(1) Integer(2))", "7", "Symbol('a', 1)"}) {
    auto result = parse_srepr(bad);
    if (std::string_view(bad) == "Add") continue;  // a bare name is a symbol
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_EQ(result.error().code, ErrorCode::kMalformed) << bad;
  }
  EXPECT_EQ(parse_srepr("__import__(Integer(1))").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(parse_srepr("Integer(99999999999999999999)").error().code, ErrorCode::kUnsupported);
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "Not(";
  EXPECT_EQ(parse_srepr(deep + "true").error().code, ErrorCode::kLimit);
}

TEST(SymExpr, ExponentialPolynomialsStayTrees) {
  std::string text = "Add(Symbol('a'), Symbol('b'), Symbol('c'))";
  for (int i = 0; i < 40; ++i) text = "Pow(" + text + ", Integer(2))";
  auto expr = parse_srepr(text);
  ASSERT_TRUE(expr.ok());
  EXPECT_FALSE(to_sym_int(*expr));
  std::string nested = "Symbol('a')";
  for (int i = 0; i < 90; ++i) nested = "Mod(Symbol('b'), " + nested + ")";
  EXPECT_TRUE(to_sym_int(*parse_srepr(nested)));
}

TEST(SymExpr, LongChainsStayTrees) {
  std::string chain = "Max(";
  for (int i = 0; i < 2000; ++i) chain += "Symbol('a" + std::to_string(i) + "'), ";
  size_t written_bytes = 0;
  EXPECT_FALSE(to_sym_int(*parse_srepr(chain + "Integer(1))"), &written_bytes));
  EXPECT_LT(written_bytes, size_t{1} << 20);
}

}  // namespace
}  // namespace tenon::aten
