// Fails each allocation in turn while the shipped model is opened and run: an error value or the right
// result, and nothing leaks. And counts those of runs. An executable of its own, because it replaces operator
// new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "ops/core/row_cases.h"
#include "runtime/session_state.h"
#include "tenon/export.h"
#include "tenon/memory.h"
#include "tenon/npy.h"
#include "tenon/session.h"
#include "tenon/values.h"

namespace {

thread_local bool armed = false;
thread_local size_t until_failure = 0;  // allocations that still succeed
std::atomic<size_t> allocations{0};     // of all threads

bool fails_now() {
  if (!armed) return false;
  if (until_failure > 0) {
    --until_failure;
    return false;
  }
  armed = false;
  return true;
}

void* take(size_t bytes, size_t alignment) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (fails_now()) return nullptr;
  bytes = bytes == 0 ? 1 : bytes;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(bytes);
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

void* take_or_throw(size_t bytes, size_t alignment) {
  void* memory = take(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) {
  return take_or_throw(bytes, 1);
}
void* operator new[](size_t bytes) {
  return take_or_throw(bytes, 1);
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<size_t>(alignment));
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return take(bytes, 1);
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return take(bytes, 1);
}
void* operator new(size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return take(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace tenon {
namespace {

const std::string kModel = std::string(TENON_SOURCE_DIR) + "/demo/digits.pt2";
/// Of the allocations beyond the first kAll, every kStride-th fails.
constexpr size_t kAll = 300, kStride = 97;

/// Calls `attempt` with its Nth allocation failing, for one N after another until none fails any more.
/// `attempt` returns whether it succeeded.
template <class F>
void fail_each_allocation(F attempt) {
  ASSERT_TRUE(attempt());  // what is made once and kept is there now
  const uint64_t used_bytes = memory_used_bytes();
  for (size_t n = 0;; n += n < kAll ? 1 : kStride) {
    SCOPED_TRACE(n);
    until_failure = n;
    armed = true;
    attempt();
    const bool reached = !armed;
    armed = false;
    ASSERT_LE(memory_used_bytes(), used_bytes);
    if (!reached) return;
  }
}

SessionOptions one_thread() {
  SessionOptions options;
  options.threads = 1;
  return options;
}

TEST(FailedAllocation, AtOpeningIsAnError) {
  fail_each_allocation([] {
    auto session = Session::open(kModel, one_thread());
    if (!session.ok()) EXPECT_EQ(session.error().code, ErrorCode::kOutOfMemory);
    return session.ok();
  });
}

TEST(FailedAllocation, InARunIsAnErrorAndLeavesTheSessionWhole) {
  auto session = Session::open(kModel, one_thread()).value();
  const auto inputs = random_inputs(*session, {}).value();
  const auto expected = session->run(inputs).value();
  const Tensor& right = expected[0].value.tensor();
  fail_each_allocation([&] {
    auto outputs = session->run(inputs);
    if (!outputs.ok()) {
      EXPECT_EQ(outputs.error().code, ErrorCode::kOutOfMemory);
      return false;
    }
    const Tensor& tensor = (*outputs)[0].value.tensor();
    EXPECT_EQ(std::memcmp(tensor.raw(), right.raw(), right.bytes()), 0);
    return true;
  });
}

TEST(FailedAllocation, InAnExportLeavesNoFile) {
  const std::string path = ::testing::TempDir() + "tenon_failed_allocation.onnx";
  fail_each_allocation([&] {
    std::remove(path.c_str());
    auto report = export_model(kModel, path);
    if (!report.ok()) EXPECT_EQ(report.error().code, ErrorCode::kOutOfMemory) << report.error().to_string();
    return report.ok();
  });
  std::remove(path.c_str());
}

/// Allocations of the third run into outputs that are there.
size_t allocations_of_a_run(const Session& session, const std::vector<NamedValue>& inputs) {
  std::vector<NamedValue> outputs = session.run(inputs).value();
  EXPECT_TRUE(session.run_into(inputs, outputs).ok());
  const size_t before = allocations;
  EXPECT_TRUE(session.run_into(inputs, outputs).ok());
  return allocations - before;
}

TEST(Run, OfANetworkAllocatesNothing) {
  for (int threads : {1, 3}) {
    SessionOptions options;
    options.threads = threads;
    auto session = Session::open(kModel, options).value();
    EXPECT_EQ(allocations_of_a_run(*session, random_inputs(*session, {}).value()), 0)
        << threads << " threads";
  }
}

TEST(Run, OfEachKernelRowAllocatesNothing) {
  size_t checked = 0;
  for (const ops::RowCase& row_case : ops::row_cases()) {
    for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
      if (isa > available_isa()) continue;
      TypedModel model;
      ops::RowModel content(model, false);
      row_case.build(content);
      auto session = make_session(std::move(model), one_thread(), isa).value();
      const std::vector<Step>& steps = session->state().engine->main().steps;
      if (std::ranges::any_of(steps, [](const Step& step) { return step.row == "reference"; })) continue;
      ++checked;
      EXPECT_EQ(allocations_of_a_run(*session, content.given()), 0)
          << op_name(row_case.op) << " " << row_case.name << " " << isa_name(isa);
    }
  }
  EXPECT_GT(checked, 50);
}

}  // namespace
}  // namespace tenon
