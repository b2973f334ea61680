#include "kernels/vector_memory.h"

#include <algorithm>
#include <new>

namespace tenon::kernels {

namespace {
constexpr std::align_val_t kAlignment{64};
}

VectorMemory::VectorMemory(size_t floats) : floats_(floats) {
  const size_t bytes = std::max<size_t>(floats, 1) * sizeof(float);
  memory_.reset(static_cast<float*>(::operator new[](bytes, kAlignment)));
}

VectorMemory VectorMemory::zeros(size_t floats) {
  VectorMemory memory(floats);
  std::fill_n(memory.data(), floats, 0.0f);
  return memory;
}

void VectorMemory::Free::operator()(float* memory) const {
  ::operator delete[](memory, kAlignment);
}

}  // namespace tenon::kernels
