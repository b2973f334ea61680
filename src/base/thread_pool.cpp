#include "base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tenon {

namespace {

/// The threads of every so many jobs look for CPUs of their own.
constexpr uint32_t kJobsBetweenLooks = 32;
constexpr int kSpinRounds = 1000;       // 20 to 60 microseconds
constexpr int kRunSpinRounds = 40'000;  // while a run goes on

std::atomic<ThreadPool*> the_pool{nullptr};
std::atomic<bool> fork_handler_registered{false};
// Aligned as what a linker may put behind it: mold 1.10 begins the read-only part of a program with this
// variable, and the program does not start when that is on the page before.
alignas(64) thread_local bool inside_share = false;
thread_local int this_participant = 0;

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

ThreadPool& ThreadPool::instance() {
  ThreadPool* pool = the_pool.load(std::memory_order_acquire);
  if (pool != nullptr && !pool->left_by_fork_) return *pool;
  if (!fork_handler_registered.exchange(true)) pthread_atfork(nullptr, nullptr, &forget_after_fork);
  // A pool left by fork is kept, since the stacks of its threads cannot be returned from here, and replaced.
  auto* fresh = new ThreadPool;
  fresh->parent_ = pool;
  if (the_pool.compare_exchange_strong(pool, fresh, std::memory_order_acq_rel)) return *fresh;
  delete fresh;
  return *pool;
}

void ThreadPool::forget_after_fork() {
  if (ThreadPool* pool = the_pool.load(std::memory_order_acquire)) pool->left_by_fork_ = true;
  inside_share = false;
  this_participant = 0;
}

int ThreadPool::participant() {
  return this_participant;
}

void ThreadPool::wait_while(const std::atomic<uint32_t>& word, uint32_t value) const {
  if (spin_.load(std::memory_order_relaxed)) {
    for (int i = 0; i < kSpinRounds || (i < kRunSpinRounds && runs_.load(std::memory_order_relaxed) == 1);
         ++i) {
      if (word.load(std::memory_order_acquire) != value) return;
      pause_briefly();
    }
  }
  while (word.load(std::memory_order_acquire) == value) word.wait(value, std::memory_order_acquire);
}

void ThreadPool::start_workers(int count) {
  while (static_cast<int>(workers_.size()) < count) {
    auto worker = std::make_unique<Worker>();
    worker->participant = static_cast<int>(workers_.size()) + 1;
    try {
      std::thread([this, w = worker.get()] { work(*w); }).detach();
    } catch (const std::system_error&) {
      return;  // no more threads to be had: the others take the shares
    }
    workers_.push_back(std::move(worker));
  }
}

void ThreadPool::work(Worker& worker) {
  inside_share = true;
  this_participant = worker.participant;
  for (;;) {
    wait_while(worker.go, 0);
    worker.go.store(0, std::memory_order_relaxed);
    if (counts_cpus_) keep_apart();
    run_shares(worker.participant);
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

void ThreadPool::keep_apart() {
  if (taken_.add(current_cpu()) || !move_to_other_cpu(taken_)) return;
  taken_.add(current_cpu());
}

void ThreadPool::run_shares(int participant) {
  try {
    for (int share = participant; share < shares_; share += participants_) (*body_)(share);
  } catch (...) {
    std::lock_guard lock(error_mutex_);
    if (!error_) error_ = std::current_exception();
  }
}

void ThreadPool::run(int shares, FunctionRef<void(int)> body) {
  std::unique_lock busy(busy_, std::defer_lock);
  if (shares <= 1 || inside_share || !busy.try_lock()) {
    for (int share = 0; share < shares; ++share) body(share);
    return;
  }
  static const int cpus = usable_cpu_count();
  start_workers(std::min(shares, kMaxThreads) - 1);
  body_ = &body;
  shares_ = shares;
  participants_ = std::min(shares, static_cast<int>(workers_.size()) + 1);
  spin_.store(participants_ <= cpus, std::memory_order_relaxed);
  counts_cpus_ = participants_ <= cpus && jobs_++ % kJobsBetweenLooks == 0;
  if (counts_cpus_) {
    taken_.clear();
    taken_.add(current_cpu());
  }
  pending_.store(static_cast<uint32_t>(participants_ - 1), std::memory_order_relaxed);
  for (int i = 0; i + 1 < participants_; ++i) {
    Worker& worker = *workers_[static_cast<size_t>(i)];
    worker.go.store(1, std::memory_order_release);
    worker.go.notify_one();
  }
  inside_share = true;
  run_shares(0);
  inside_share = false;
  for (uint32_t left = pending_.load(std::memory_order_acquire); left != 0;
       left = pending_.load(std::memory_order_acquire))
    wait_while(pending_, left);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void parallel_for(int threads, int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
  if (count <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  int64_t units = (count - 1) / grain + 1;
  int64_t shares = std::min<int64_t>(std::clamp(threads, 1, ThreadPool::kMaxThreads), units);
  if (shares == 1) {
    body(0, count);
    return;
  }
  ThreadPool::instance().run(static_cast<int>(shares), [&](int share) {
    int64_t quotient = units / shares;
    int64_t remainder = units % shares;
    int64_t first = share * quotient + std::min<int64_t>(share, remainder);
    int64_t last = first + quotient + (share < remainder ? 1 : 0);
    body(first * grain, std::min(last * grain, count));
  });
}

}  // namespace tenon
