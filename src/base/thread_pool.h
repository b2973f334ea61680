// The threads that kernels share their work among: one pool a process, whatever the number of sessions. Work
// is cut into shares before it starts, so that nothing about a result depends on timing.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

#include "base/cpu_set.h"
#include "base/function_ref.h"

namespace tenon {

/// How many threads this process may use at the same time: the CPUs of its affinity mask, limited by the
/// quotas of its control groups (versions 1 and 2), rounded up; at least 1.
int usable_cpu_count();

/// Starts its threads when they are first needed, and keeps them. A thread without work spins for some tens
/// of microseconds, while a run is going on for a millisecond or two, and then sleeps: waking it takes longer
/// than most steps. Now and then the threads of a job make sure that no two of them share a CPU. After a fork
/// the child starts with a pool of its own.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 256;

  static ThreadPool& instance();

  /// Calls body(0) ... body(shares - 1), each once, and returns when all have returned. The caller runs some
  /// of them itself. Within a share, or while another thread uses the pool, the caller runs all of them:
  /// nested and concurrent use neither waits nor adds threads. An exception that a share throws is thrown
  /// here once no share is running any more (one of them when several throw; shares not yet begun may be left
  /// out).
  void run(int shares, FunctionRef<void(int)> body);

  /// Which thread of a job this one is: from 1 on for the threads of the pool, the same one in every job, and
  /// 0 for all others.
  static int participant();

  /// Jobs will follow each other for as long as the object lives.
  class Run {
   public:
    Run() : pool_(instance()) { pool_.runs_.fetch_add(1, std::memory_order_relaxed); }
    ~Run() { pool_.runs_.fetch_sub(1, std::memory_order_relaxed); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

   private:
    ThreadPool& pool_;
  };

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

 private:
  struct Worker {
    alignas(64) std::atomic<uint32_t> go{0};  // 1: a job waits for this worker
    int participant = 0;
  };

  ThreadPool() = default;
  void start_workers(int count);
  void work(Worker& worker);
  void run_shares(int participant);
  void keep_apart();
  void wait_while(const std::atomic<uint32_t>& word, uint32_t value) const;
  static void forget_after_fork();

  std::mutex busy_;  // held by the thread whose job is running
  std::vector<std::unique_ptr<Worker>> workers_;
  ThreadPool* parent_ = nullptr;  // the pool of the process that this one was forked from
  bool left_by_fork_ = false;     // its threads exist in the parent process only

  // The running job, written while busy_ is held and the workers wait.
  const FunctionRef<void(int)>* body_ = nullptr;
  int shares_ = 0;
  int participants_ = 0;
  std::atomic<bool> spin_{true};
  std::atomic<int> runs_{0};  // going on; with several, threads leave the CPUs to each other
  bool counts_cpus_ = false;  // whether the threads of this job look for CPUs of their own
  CpuSet taken_;              // of the job that looks
  uint32_t jobs_ = 0;
  alignas(64) std::atomic<uint32_t> pending_{0};  // participants that have not finished
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

/// Calls body(begin, end) for disjoint ranges that cover [0, count), on at most `threads` threads. Ranges
/// begin at multiples of `grain`, and are cut from `threads`, `count` and `grain` alone.
void parallel_for(int threads, int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body);

}  // namespace tenon
