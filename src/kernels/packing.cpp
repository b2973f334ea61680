#include "kernels/packing.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace tenon::kernels {

namespace {

constexpr std::align_val_t kAlignment{64};
constexpr uintptr_t kHugePageBytes = uintptr_t{2} << 20;

/// Asks for huge pages where whole ones fit: weights are read once a run from end to end, and with small
/// pages each 4 KB costs a walk through the page table. Nothing happens where the system has none.
void ask_for_huge_pages(void* memory, size_t bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (begin + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const uintptr_t last = (begin + bytes) / kHugePageBytes * kHugePageBytes;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

}  // namespace

PackedFloats PackedFloats::make(size_t floats, FunctionRef<void(float*)> fill) {
  const size_t bytes = std::max<size_t>(floats, 1) * sizeof(float);
  auto* memory = static_cast<float*>(::operator new[](bytes, kAlignment));
  std::shared_ptr<float> owner(memory, [](float* p) { ::operator delete[](p, kAlignment); });
  ask_for_huge_pages(memory, bytes);
  std::fill_n(memory, floats, 0.0f);
  fill(memory);
  return {std::move(owner), floats};
}

}  // namespace tenon::kernels
