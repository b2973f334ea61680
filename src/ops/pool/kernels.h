// Kernel rows of pools, each list in the order of trying.
#pragma once

#include "kernels/pool/blocked_pool.h"
#include "ops/core/kernel.h"
#include "ops/spatial/window.h"

namespace tenon::ops {

extern const KernelRow kMaxPoolRows[6];
extern const KernelRow kAveragePoolRows[3];
extern const KernelRow kGlobalAveragePoolRows[3];

enum class Pool : uint8_t { kMax, kAverage, kGlobalAverage };

/// Rows in the blocked layout take one image that has it, and have no second output.
bool fits_blocked_pool(const Region& region);
Result<std::unique_ptr<Kernel>> prepare_blocked_pool(Pool pool, Isa isa, const Region& region);

/// The windows along an axis, in scratch memory.
kernels::PoolAxis pool_windows(const WindowAxis& axis, const kernels::Services& services);

/// Whether a ReduceMean takes the means of the planes of one image, and keeps their dimensions or does not.
bool takes_plane_means(const Region& region, bool keeps);
/// Of one that does not keep them: from the blocked layout to [N, C] in the plain one.
Result<std::unique_ptr<Kernel>> prepare_plane_means(Isa isa, const Region& region);

template <Pool kPool, Isa kIsa>
constexpr KernelRow blocked_pool_row(std::string_view name) {
  return {name,
          kIsa,
          fits_blocked_pool,
          [](const Region& region, kernels::Packing&) { return prepare_blocked_pool(kPool, kIsa, region); },
          {Layout::kBlocked, Layout::kBlocked, false}};
}

}  // namespace tenon::ops
