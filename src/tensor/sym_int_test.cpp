#include "tensor/sym_int.h"

#include <gtest/gtest.h>

namespace tenon {
namespace {

const SymInt n = SymInt::symbol("n");
const SymInt m = SymInt::symbol("m");

TEST(SymInt, PolynomialsHaveOneNormalForm) {
  EXPECT_EQ((n + 1) * (n - 1), n * n - 1);
  EXPECT_EQ(n * m * 3 - m * n * 2, m * n);
  EXPECT_EQ(n - n, SymInt(0));
  EXPECT_EQ((n * 2 + 1).to_string(), "2*n + 1");
}

TEST(SymInt, DivisionIsExactWherePolynomialsAllowIt) {
  EXPECT_EQ(floor_div(n * 768 * 49, n * 49), SymInt(768));
  EXPECT_EQ(floor_div(n * 4 + 7, 2), n * 2 + 3);
  EXPECT_EQ(exact_div(n * 3, 2), std::nullopt);
  EXPECT_EQ(mod(n * 6, 3), SymInt(0));
}

TEST(SymInt, RoundsAsTheMathematicsSays) {
  EXPECT_EQ(floor_div(-7, 2), SymInt(-4));
  EXPECT_EQ(ceil_div(7, 2), SymInt(4));
  EXPECT_EQ(ceil_div(-7, 2), SymInt(-3));
  EXPECT_EQ(mod(-7, 3), SymInt(2));
}

TEST(SymInt, EvaluatesAndSubstitutes) {
  SymInt e = floor_div(n + 1, 2) * m;
  auto lookup = [](const std::string& name) -> std::optional<int64_t> { return name == "n" ? 6 : 5; };
  EXPECT_EQ(e.evaluate(lookup), 15);
  SymInt half = e.substitute([](const std::string& name) -> std::optional<SymInt> {
    return name == "n" ? std::optional<SymInt>(7) : std::nullopt;
  });
  EXPECT_EQ(half, m * 4);
  EXPECT_EQ(max(n, n + 2), n + 2);
}

}  // namespace
}  // namespace tenon
