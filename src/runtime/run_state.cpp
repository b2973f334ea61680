#include "runtime/run_state.h"

#include <algorithm>
#include <new>

#include "base/memory.h"
#include "base/thread_pool.h"
#include "base/try.h"

namespace tenon {

namespace {

constexpr size_t kLeastBlockBytes = size_t{256} << 10;

}  // namespace

void ScratchStack::Deleter::operator()(std::byte* memory) const {
  give_back_memory(memory, size);
}

std::byte* ScratchStack::take(size_t bytes) {
  std::lock_guard lock(mutex_);
  if (bytes > SIZE_MAX - 64) throw std::bad_alloc();
  bytes = (bytes + 63) / 64 * 64;
  while (current_ < blocks_.size() && blocks_[current_].size - blocks_[current_].used < bytes) ++current_;
  if (current_ == blocks_.size()) {
    size_t size = std::max(bytes, kLeastBlockBytes);
    std::unique_ptr<std::byte[], Deleter> memory(take_memory(size), Deleter{size});
    blocks_.push_back({std::move(memory), size, 0});
  }
  Block& block = blocks_[current_];
  std::byte* result = block.memory.get() + block.used;
  block.used += bytes;
  return result;
}

void ScratchStack::make_room() {
  if (marks_.size() == marks_.capacity()) marks_.reserve(2 * marks_.size() + 4);
}

void ScratchStack::begin_step() {
  marks_.push_back({current_, current_ < blocks_.size() ? blocks_[current_].used : 0});
}

void ScratchStack::end_step() {
  const Mark mark = marks_.back();
  marks_.pop_back();
  for (size_t b = mark.block + 1; b < blocks_.size(); ++b) blocks_[b].used = 0;
  if (mark.block < blocks_.size()) blocks_[mark.block].used = mark.used;
  current_ = mark.block;
}

void Scratch::reserve(int threads) {
  while (static_cast<int>(stacks_.size()) < threads) stacks_.push_back(std::make_unique<ScratchStack>());
}

std::byte* Scratch::take(size_t bytes) {
  const auto thread = static_cast<size_t>(ThreadPool::participant());
  return stacks_[thread < stacks_.size() ? thread : 0]->take(bytes);
}

void Scratch::begin_step() {
  for (const auto& stack : stacks_) stack->make_room();  // or none begins
  for (const auto& stack : stacks_) stack->begin_step();
}

void Scratch::end_step() {
  for (const auto& stack : stacks_) stack->end_step();
}

void RunState::reserve(size_t bytes) {
  if (bytes <= block_bytes_) return;
  block_.reset();
  block_bytes_ = 0;
  block_ = share_memory(bytes);
  block_bytes_ = bytes;
}

std::unique_ptr<FrameMemory> RunState::take_frame() {
  if (idle_frames_.empty()) return std::make_unique<FrameMemory>();
  std::unique_ptr<FrameMemory> frame = std::move(idle_frames_.back());
  idle_frames_.pop_back();
  return frame;
}

void RunState::begin(int threads, RunContext* context) {
  threads_ = threads;
  scratch_.reserve(std::clamp(threads, 1, ThreadPool::kMaxThreads));
  context_ = context;
  seeds_drawn_ = 0;
}

uint64_t RunState::next_random_seed() {
  // splitmix64 of the run's seed and the number of seeds drawn before.
  uint64_t z = (context_ != nullptr ? context_->random_seed() : 0) + 0x9e3779b97f4a7c15u * ++seeds_drawn_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Status RunState::interrupted() const {
  if (context_ == nullptr) return {};
  if (context_->cancelled()) return fail(ErrorCode::kCancelled, "the run was cancelled");
  if (context_->deadline() && std::chrono::steady_clock::now() > *context_->deadline())
    return fail(ErrorCode::kCancelled, "the run did not end before its deadline");
  return {};
}

Value RunState::detached(Value value) const {
  if (value.is_tensor()) return owns(value.tensor()) ? Value(value.tensor().clone()) : std::move(value);
  if (value.is_sequence()) {
    for (Value& item : value.sequence().items) item = detached(std::move(item));
    return value;
  }
  if (value.is_optional()) {
    if (value.optional().value == nullptr) return value;
    return Optional{std::make_shared<Value>(detached(*value.optional().value))};
  }
  Map map = value.map();
  for (auto& [key, entry] : map.entries) entry = detached(std::move(entry));
  return map;
}

}  // namespace tenon
