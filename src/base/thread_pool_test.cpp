#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>

namespace tenon {
namespace {

TEST(ThreadPool, RunsEachShareOnce) {
  for (int shares : {0, 1, 2, 3, 5, 16, 40}) {
    std::vector<std::atomic<int>> calls(static_cast<size_t>(shares) + 1);
    ThreadPool::instance().run(shares, [&](int share) { calls[static_cast<size_t>(share)]++; });
    for (int share = 0; share < shares; ++share) EXPECT_EQ(calls[static_cast<size_t>(share)], 1);
    EXPECT_EQ(calls.back(), 0);
  }
}

TEST(ThreadPool, RangesCoverAndStartAtMultiplesOfGrain) {
  for (int threads : {1, 2, 3, 5, 16}) {
    for (int64_t count : {0, 1, 7, 64, 1000}) {
      for (int64_t grain : {1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> hits(static_cast<size_t>(count) + 1);
        parallel_for(threads, count, grain, [&](int64_t begin, int64_t end) {
          EXPECT_EQ(begin % grain, 0);
          EXPECT_LT(begin, end);
          for (int64_t i = begin; i < end; ++i) hits[static_cast<size_t>(i)]++;
        });
        for (int64_t i = 0; i < count; ++i) ASSERT_EQ(hits[static_cast<size_t>(i)], 1);
      }
    }
  }
}

TEST(ThreadPool, NestedUseRunsInTheSameThread) {
  std::atomic<int> total{0};
  ThreadPool::instance().run(4, [&](int) {
    std::thread::id outer = std::this_thread::get_id();
    ThreadPool::instance().run(4, [&](int) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      total++;
    });
  });
  EXPECT_EQ(total, 16);
}

TEST(ThreadPool, ConcurrentCallersAllFinish) {
  std::vector<std::thread> callers;
  std::atomic<int64_t> total{0};
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        parallel_for(3, 30, 1, [&](int64_t begin, int64_t end) { total += end - begin; });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 4 * 200 * 30);
}

TEST(ThreadPool, AnExceptionReachesTheCallerAndThePoolGoesOn) {
  for (int bad : {0, 1, 3})
    EXPECT_THROW(ThreadPool::instance().run(4,
                                            [&](int share) {
                                              if (share == bad) throw std::runtime_error("share");
                                            }),
                 std::runtime_error);
  std::atomic<int> calls{0};
  ThreadPool::instance().run(4, [&](int) { calls++; });
  EXPECT_EQ(calls, 4);
}

TEST(ThreadPool, SurvivesFork) {
  ThreadPool::instance().run(3, [](int) {});
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::atomic<int> calls{0};
    for (int round = 0; round < 10; ++round) ThreadPool::instance().run(3, [&](int) { calls++; });
    _exit(calls == 30 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(ThreadPool, CpuCountIsAtMostTheHardware) {
  EXPECT_GE(usable_cpu_count(), 1);
  EXPECT_LE(usable_cpu_count(), static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u)));
}

}  // namespace
}  // namespace tenon
