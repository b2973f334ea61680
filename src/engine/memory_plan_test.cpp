#include "engine/memory_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace tenon {
namespace {

bool meet(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

TEST(MemoryPlan, LiveValuesNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<Lifetime> lifetimes(random() % 40);
    for (Lifetime& lifetime : lifetimes) {
      lifetime.bytes = random() % 1000;
      lifetime.first = static_cast<int>(random() % 30);
      lifetime.last = lifetime.first + static_cast<int>(random() % 8);
    }
    Placement placement = place(lifetimes);
    for (size_t i = 0; i < lifetimes.size(); ++i) {
      EXPECT_EQ(placement.offsets[i] % 64, 0u);
      EXPECT_LE(placement.offsets[i] + lifetimes[i].bytes, placement.bytes);
      for (size_t j = 0; j < i; ++j) {
        if (!meet(lifetimes[i], lifetimes[j])) continue;
        bool apart = placement.offsets[i] + lifetimes[i].bytes <= placement.offsets[j] ||
                     placement.offsets[j] + lifetimes[j].bytes <= placement.offsets[i];
        ASSERT_TRUE(apart || lifetimes[i].bytes == 0 || lifetimes[j].bytes == 0);
      }
    }
  }
}

TEST(MemoryPlan, AChainNeedsTwoBuffersOnly) {
  std::vector<Lifetime> lifetimes;
  for (int i = 0; i < 10; ++i) lifetimes.push_back({1024, i, i + 1});
  EXPECT_EQ(place(lifetimes).bytes, 2048u);
}

TEST(MemoryPlan, AGapIsFilled) {
  // 0 and 1 live together and then 0 dies; 2 takes its place while 1 lives on.
  std::vector<Lifetime> lifetimes = {{1000, 0, 1}, {900, 0, 5}, {800, 2, 5}};
  Placement placement = place(lifetimes);
  EXPECT_EQ(placement.offsets[2], placement.offsets[0]);
}

}  // namespace
}  // namespace tenon
