#include "kernels/gemm/packed_rows.h"

#include <algorithm>
#include <new>

namespace tenon::kernels {

namespace {
constexpr std::align_val_t kAlignment{64};
}

void PackedRows::Free::operator()(float* memory) const {
  ::operator delete[](memory, kAlignment);
}

void PackedRows::allocate(int64_t count) {
  auto bytes = static_cast<size_t>(std::max<int64_t>(count, 1)) * sizeof(float);
  memory_.reset(static_cast<float*>(::operator new[](bytes, kAlignment)));
}

}  // namespace tenon::kernels
