// Kernel rows for regions that move channels of float32 images in the blocked layout, of any anchor.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

bool fits_channel_moves(const Region& region);
Result<std::unique_ptr<Kernel>> prepare_channel_moves(Isa isa, const Region& region);

template <Isa kIsa>
constexpr KernelRow channel_moves_row(std::string_view name) {
  return {name,
          kIsa,
          fits_channel_moves,
          [](const Region& region, kernels::Packing&) { return prepare_channel_moves(kIsa, region); },
          {Layout::kBlocked, Layout::kBlocked, false}};
}

inline constexpr KernelRow kChannelMoveRows[3] = {
    channel_moves_row<Isa::kAvx512>("channel_moves_f32_avx512"),
    channel_moves_row<Isa::kAvx2>("channel_moves_f32_avx2"),
    channel_moves_row<Isa::kPortable>("channel_moves_f32_portable"),
};

}  // namespace tenon::ops
