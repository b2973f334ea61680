// Rows of the Reduce operators for float32, whatever the axes.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// A sum, mean, norm, maximum or minimum of float32 over axes that are known.
bool fits_reduce(const Region& region);
Result<std::unique_ptr<Kernel>> prepare_reduce(Isa isa, const Region& region);

template <Isa kIsa>
constexpr KernelRow reduce_row(std::string_view name) {
  return {name, kIsa, fits_reduce,
          [](const Region& region, kernels::Packing&) { return prepare_reduce(kIsa, region); }};
}

}  // namespace tenon::ops
