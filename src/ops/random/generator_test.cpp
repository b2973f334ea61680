#include "ops/random/generator.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tenon::ops {
namespace {

// numpy.random.RandomState(0).uniform(size=3)
TEST(RandomGenerator, DrawsAsNumpyDoes) {
  RandomGenerator generator(0);
  EXPECT_EQ(generator.uniform(), 0.5488135039273248);
  EXPECT_EQ(generator.uniform(), 0.7151893663724195);
  EXPECT_EQ(generator.uniform(), 0.6027633760716439);
}

TEST(RandomGenerator, NormalHasMeanZeroAndDeviationOne) {
  RandomGenerator generator(7);
  constexpr int kDraws = 100000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = generator.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
}

}  // namespace
}  // namespace tenon::ops
