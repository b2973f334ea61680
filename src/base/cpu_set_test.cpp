#include "base/cpu_set.h"

#include <gtest/gtest.h>

#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace tenon {
namespace {

TEST(CpuSet, AddsEachCpuOnce) {
  CpuSet set;
  EXPECT_TRUE(set.add(3));
  EXPECT_FALSE(set.add(3));
  EXPECT_TRUE(set.add(67));
  EXPECT_TRUE(set.contains(67));
  EXPECT_FALSE(set.contains(66));
  EXPECT_FALSE(set.add(-1));
  EXPECT_FALSE(set.add(CpuSet::kMaxCpus));
  set.clear();
  EXPECT_TRUE(set.add(3));
}

#if defined(__linux__)
TEST(CpuSet, MovesAThreadAwayAndLeavesItFree) {
  std::thread([] {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CpuSet::kMaxCpus; ++cpu)
      if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
    CpuSet taken;
    for (int cpu : cpus) taken.add(cpu);
    EXPECT_FALSE(move_to_other_cpu(taken)) << "no CPU is left";
    if (cpus.size() < 2) return;
    taken.clear();
    taken.add(cpus[0]);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpus[0], &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(current_cpu(), cpus[0]);
    ASSERT_EQ(sched_setaffinity(0, sizeof allowed, &allowed), 0);
    EXPECT_TRUE(move_to_other_cpu(taken));
    cpu_set_t after;
    ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    EXPECT_TRUE(CPU_EQUAL(&after, &allowed));
  }).join();
}
#endif

}  // namespace
}  // namespace tenon
