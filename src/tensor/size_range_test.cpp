#include "tensor/size_range.h"

#include <gtest/gtest.h>

namespace tenon {
namespace {

const SymInt kS = SymInt::symbol("s"), kT = SymInt::symbol("t");

TEST(LinearSize, IsFoundInSumsAndMultiplesOfOneSymbol) {
  auto form = LinearSize::of(kS * 3 + 2);
  ASSERT_TRUE(form.has_value());
  EXPECT_EQ(form->symbol, "s");
  EXPECT_EQ(form->factor, 3);
  EXPECT_EQ(form->offset, 2);
  EXPECT_EQ(LinearSize::of(kS)->factor, 1);
  for (const SymInt& other : {SymInt(4), kS * kS, kS + kT, kS * kT, floor_div(kS, 2), max(kS, 3), mod(kS, 2)})
    EXPECT_FALSE(LinearSize::of(other).has_value()) << other.to_string();
}

TEST(LinearSize, IsSolvedForSizesOfAtLeast0) {
  const auto form = *LinearSize::of(kS * 3 + 2);
  EXPECT_EQ(form.solve(11), 3);
  EXPECT_EQ(form.solve(2), 0);
  EXPECT_EQ(form.solve(10), std::nullopt);
  EXPECT_EQ(form.solve(-1), std::nullopt);
  EXPECT_EQ(LinearSize::of(SymInt(7) - kS)->solve(5), 2);
  EXPECT_EQ(LinearSize::of(SymInt(7) - kS)->solve(INT64_MIN), std::nullopt);
  EXPECT_EQ((LinearSize{"s", -1, 0}).solve(INT64_MIN), std::nullopt);
}

TEST(AllowedSizes, AreThoseOfTheDimensionWithoutALeastSizeOf2) {
  const SizeRanges ranges = {{"s", {3, 8}}, {"2*s + 1", {7, 17}}, {"t", {2, std::nullopt}}, {"2*t", {2, 32}}};
  EXPECT_EQ(allowed_sizes(kS, ranges).to_string(), "3 to 8");
  EXPECT_EQ(allowed_sizes(kS * 2 + 1, ranges).to_string(), "7 to 17");
  EXPECT_EQ(allowed_sizes(kT, ranges).to_string(), "any size");
  EXPECT_EQ(allowed_sizes(kT * 2, ranges).to_string(), "at most 32");
  for (const SymInt& other : {SymInt(4), kS + kT, SymInt::symbol("u")})
    EXPECT_TRUE(allowed_sizes(other, ranges).is_any()) << other.to_string();
}

TEST(SizeRange, HoldsItsEnds) {
  const SizeRange range{3, 8};
  EXPECT_TRUE(range.holds(3) && range.holds(8));
  EXPECT_FALSE(range.holds(2) || range.holds(9));
  EXPECT_TRUE(SizeRange{}.holds(-1));
  EXPECT_EQ((SizeRange{4, 4}).to_string(), "4");
}

}  // namespace
}  // namespace tenon
