// Kernel rows of pools, each list in the order of trying.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

extern const KernelRow kMaxPoolRows[6];
extern const KernelRow kAveragePoolRows[3];
extern const KernelRow kGlobalAveragePoolRows[3];
/// Of ReduceMean over the pixels of images, which is the same.
extern const KernelRow kPlaneMeanRows[6];

enum class Pool : uint8_t { kMax, kAverage, kGlobalAverage };

/// Rows in the blocked layout take one image that has it, and have no second output.
bool fits_blocked_pool(const Region& region);
Result<std::unique_ptr<Kernel>> prepare_blocked_pool(Pool pool, Isa isa, const Region& region);

template <Pool kPool, Isa kIsa>
constexpr KernelRow blocked_pool_row(std::string_view name) {
  return {name,
          kIsa,
          fits_blocked_pool,
          [](const Region& region, kernels::Packing&) { return prepare_blocked_pool(kPool, kIsa, region); },
          {Layout::kBlocked, Layout::kBlocked, false}};
}

}  // namespace tenon::ops
