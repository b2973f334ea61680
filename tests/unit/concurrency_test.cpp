// Sessions under many threads: the shipped model, run by all of them at once, gives the bits that one thread
// gives. What ./dev test --sanitize thread looks at.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "tenon/memory.h"
#include "tenon/session.h"
#include "tenon/values.h"

namespace tenon {
namespace {

const std::string kModel = std::string(TENON_SOURCE_DIR) + "/demo/digits.pt2";
constexpr int kThreads = 8;

std::shared_ptr<Session> open_session(int threads) {
  SessionOptions options;
  options.threads = threads;
  return Session::open(kModel, options).value();
}

std::vector<NamedValue> inputs_of(const Session& session, uint64_t seed, int64_t batch) {
  RandomOptions options;
  options.seed = seed;
  options.batch = batch;
  return random_inputs(session, options).value();
}

std::string bits(const std::vector<NamedValue>& outputs) {
  std::string all;
  for (const NamedValue& output : outputs) {
    const Tensor& tensor = output.value.tensor();
    all.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  }
  return all;
}

/// Calls body(0) ... body(kThreads - 1) at the same time.
template <class F>
void at_once(F body) {
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      while (!go.load()) std::this_thread::yield();
      body(t);
    });
  go.store(true);
  for (std::thread& thread : threads) thread.join();
}

bool has_open_batch(const Session& session) {
  return !session.inputs()[0].shape->front().size.has_value();
}

TEST(ConcurrencySession, GivesTheSameBitsForAnyNumberOfThreads) {
  auto one = open_session(1);
  const auto inputs = inputs_of(*one, 3, has_open_batch(*one) ? 5 : 1);
  const std::string expected = bits(one->run(inputs).value());
  for (int threads : {2, 3, 7, 16}) EXPECT_EQ(bits(open_session(threads)->run(inputs).value()), expected);
}

TEST(ConcurrencySession, IsSharedByManyThreads) {
  for (int threads : {1, 3}) {
    auto session = open_session(threads);
    const int64_t batches = has_open_batch(*session) ? 3 : 1;
    std::vector<std::vector<NamedValue>> inputs;
    std::vector<std::string> expected;
    for (uint64_t i = 0; i < 6; ++i) {
      inputs.push_back(inputs_of(*session, i, 1 + static_cast<int64_t>(i) % batches));
      expected.push_back(bits(session->run(inputs.back()).value()));
    }
    std::atomic<int> wrong{0};
    at_once([&](int t) {
      for (int i = 0; i < 12; ++i) {
        const size_t k = static_cast<size_t>(t + i) % inputs.size();
        auto outputs = session->run(inputs[k]);
        if (!outputs.ok() || bits(*outputs) != expected[k]) ++wrong;
      }
    });
    EXPECT_EQ(wrong, 0);
  }
}

TEST(ConcurrencySession, GivesIntermediateValuesBesideOtherRuns) {
  auto session = open_session(2);
  const auto inputs = inputs_of(*session, 1, 1);
  std::vector<std::string> names;
  for (const ValueDescription& value : session->values())
    if (value.kind == ValueDescription::Kind::kTensor && names.size() < 20) names.push_back(value.name);
  const std::string expected = bits(session->run(inputs, names).value());
  const std::string plain = bits(session->run(inputs).value());
  std::atomic<int> wrong{0};
  at_once([&](int t) {
    for (int i = 0; i < 4; ++i) {
      auto outputs = session->run(inputs, t % 2 == 0 ? names : std::vector<std::string>());
      if (!outputs.ok() || bits(*outputs) != (t % 2 == 0 ? expected : plain)) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(ConcurrencySession, OpensAndClosesBesideRuns) {
  auto shared = open_session(2);
  const auto inputs = inputs_of(*shared, 1, 1);
  const std::string expected = bits(shared->run(inputs).value());
  std::atomic<int> wrong{0};
  at_once([&](int t) {
    for (int i = 0; i < 3; ++i) {
      auto session = t % 2 == 0 ? open_session(1 + t) : shared;
      auto outputs = session->run(inputs);
      session.reset();  // outputs live on without it
      if (!outputs.ok() || bits(*outputs) != expected) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(ConcurrencySession, RunsEndWhenAnotherThreadCancels) {
  auto session = open_session(2);
  const auto inputs = inputs_of(*session, 1, 1);
  std::vector<RunContext> contexts(kThreads);
  std::atomic<int> cancelled{0};
  std::vector<std::thread> threads;
  for (RunContext& context : contexts)
    threads.emplace_back([&] {
      for (;;) {
        auto outputs = session->run(inputs, {}, &context);
        if (outputs.ok()) continue;
        if (outputs.error().code == ErrorCode::kCancelled) ++cancelled;
        return;
      }
    });
  for (RunContext& context : contexts) context.cancel();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cancelled, kThreads);
}

TEST(ConcurrencyMemory, IsCountedAndGivenBack) {
  const uint64_t before = memory_used_bytes();
  at_once([&](int) {
    for (int i = 0; i < 100; ++i) {
      Tensor tensor = Tensor::allocate(DataType::kFloat32, {1 + i, 100});
      Tensor copy = tensor;
    }
  });
  EXPECT_EQ(memory_used_bytes(), before);
}

TEST(Memory, LimitIsKeptByRunsAndNamesTheNode) {
  auto session = open_session(1);
  const auto inputs = inputs_of(*session, 1, 1);
  set_memory_limit_bytes(memory_used_bytes() + 100);
  auto outputs = session->run(inputs);
  set_memory_limit_bytes(0);
  ASSERT_FALSE(outputs.ok());
  EXPECT_EQ(outputs.error().code, ErrorCode::kOutOfMemory);
  EXPECT_NE(outputs.error().node, "") << outputs.error().to_string();
  EXPECT_TRUE(session->run(inputs).ok());  // the session is as good as before
}

}  // namespace
}  // namespace tenon
