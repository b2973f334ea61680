#include "base/memory.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <new>

#include "base/control_groups.h"

namespace tenon {

namespace {

constexpr std::align_val_t kAlignment{64};

std::atomic<uint64_t> used_bytes{0};
std::atomic<uint64_t> chosen_limit{0};  // 0: none was chosen

/// What the machine has and its control groups allow.
uint64_t machine_limit() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  uint64_t limit =
      pages > 0 && page > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page) : UINT64_MAX;
  visit_control_groups("memory", [&](const std::string& folder) {
    for (const char* name : {"/memory.max", "/memory.limit_in_bytes"}) {
      std::ifstream file(folder + name);
      uint64_t bytes = 0;
      if (file >> bytes && bytes > 0) limit = std::min(limit, bytes);  // "max" is no number
    }
  });
  return limit;
}

}  // namespace

uint64_t memory_limit_bytes() {
  static const uint64_t machine = machine_limit();
  const uint64_t chosen = chosen_limit.load(std::memory_order_relaxed);
  return chosen != 0 ? chosen : machine;
}

void set_memory_limit_bytes(uint64_t bytes) {
  chosen_limit.store(bytes, std::memory_order_relaxed);
}

uint64_t memory_used_bytes() {
  return used_bytes.load(std::memory_order_relaxed);
}

std::byte* take_memory(size_t bytes) {
  const uint64_t limit = memory_limit_bytes();
  const uint64_t before = used_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (before <= limit && bytes <= limit - before)
    if (void* memory = ::operator new(std::max<size_t>(bytes, 1), kAlignment, std::nothrow))
      return static_cast<std::byte*>(memory);
  used_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  throw std::bad_alloc();
}

void give_back_memory(std::byte* memory, size_t bytes) noexcept {
  if (memory == nullptr) return;
  ::operator delete(memory, kAlignment);
  used_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

std::shared_ptr<std::byte> share_memory(size_t bytes) {
  // When the owner cannot be made, its constructor gives the memory back.
  return {take_memory(bytes), [bytes](std::byte* taken) { give_back_memory(taken, bytes); }};
}

}  // namespace tenon
