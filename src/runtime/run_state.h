// RunState: the memory that one run uses and the next may use again: the planned block and scratch space.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "tenon/session.h"

namespace tenon {

/// Scratch memory as a stack: what a step took is given back when it ends, also when its subgraphs took more
/// in between.
class ScratchStack {
 public:
  /// 64-byte aligned, contents not set. Safe to call from several threads. Throws std::bad_alloc.
  std::byte* take(size_t bytes);
  /// For one more step to begin without an allocation.
  void make_room();
  /// A step begins, and ends.
  void begin_step();
  void end_step();

 private:
  struct Deleter {
    size_t size = 0;
    void operator()(std::byte* memory) const;
  };
  struct Block {
    std::unique_ptr<std::byte[], Deleter> memory;
    size_t size = 0;
    size_t used = 0;
  };
  struct Mark {
    size_t block = 0;
    size_t used = 0;
  };
  std::mutex mutex_;
  std::vector<Block> blocks_;
  size_t current_ = 0;
  std::vector<Mark> marks_;  // where the steps began that are running
};

/// A stack for each thread of a run. Memory that a thread writes in one step after the other stays in its own
/// caches.
class Scratch {
 public:
  /// Makes room for so many threads.
  void reserve(int threads);
  /// From the stack of the calling thread.
  std::byte* take(size_t bytes);
  void begin_step();
  void end_step();

 private:
  std::vector<std::unique_ptr<ScratchStack>> stacks_;  // by ThreadPool::participant()
};

/// The values of a frame while it runs; kept for the next one.
struct FrameMemory {
  std::vector<const Value*> values;
  std::vector<Value> owned;
  std::vector<const Value*> inputs;  ///< Of the running step.
  std::vector<Value> outputs;        ///< Of the running step.
};

class RunState {
 public:
  /// What a run keeps between its beginning and its end, outside of its frames.
  struct Buffers {
    std::vector<const Value*> inputs;
    std::vector<int64_t> key;
    std::vector<Value> defaults, slots;
  } buffers;

  /// Makes the planned block at least this large.
  void reserve(size_t bytes);
  /// Begins a run with its settings; null means none.
  void begin(int threads, RunContext* context);

  int threads() const { return threads_; }
  RunContext* context() const { return context_; }
  Scratch& scratch() { return scratch_; }
  uint64_t next_random_seed();
  /// kCancelled when the run was cancelled or its deadline passed.
  Status interrupted() const;

  std::unique_ptr<FrameMemory> take_frame();
  void give_back(std::unique_ptr<FrameMemory> frame) { idle_frames_.push_back(std::move(frame)); }

  std::byte* block() const { return block_.get(); }
  const std::shared_ptr<std::byte>& block_owner() const { return block_; }
  /// Whether the tensor's bytes lie in the planned block.
  bool owns(const Tensor& tensor) const { return block_ != nullptr && tensor.owner().get() == block_.get(); }
  /// The value with copies in place of tensors that lie in the planned block.
  Value detached(Value value) const;

 private:
  std::shared_ptr<std::byte> block_;
  size_t block_bytes_ = 0;
  Scratch scratch_;
  std::vector<std::unique_ptr<FrameMemory>> idle_frames_;
  RunContext* context_ = nullptr;
  int threads_ = 1;
  uint64_t seeds_drawn_ = 0;
};

}  // namespace tenon
