// The blocked layout NCHWc of a float32 tensor [N, C, H, W]: [N, ceil(C / c), H, W, c], so that one vector
// register holds c neighbouring channels of one pixel. Lanes beyond C are zero when they come from here;
// kernels keep them finite.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// How many channels a block has on an instruction set: c.
inline int64_t block_lanes(Isa isa) {
  return isa == Isa::kAvx512 ? 16 : isa == Isa::kAvx2 ? 8 : 4;
}

/// Blocks that hold so many channels.
inline int64_t blocks_of(int64_t channels, int64_t lanes) {
  return (channels + lanes - 1) / lanes;
}

struct BlockedShape {
  int64_t images = 1;
  int64_t channels = 0;
  int64_t pixels = 0;  ///< H * W
  int64_t lanes = 16;  ///< c

  int64_t blocks() const { return blocks_of(channels, lanes); }
  /// Elements of the blocked form.
  int64_t floats() const { return images * blocks() * pixels * lanes; }
};

/// From row-major [N, C, H, W] at `plain` to the blocked form at `blocked`, and back. They do not overlap.
void to_blocked(const BlockedShape& shape, const float* plain, float* blocked, const Services& services);
void to_plain(const BlockedShape& shape, const float* blocked, float* plain, const Services& services);

/// The same between row-major [N, H, W, C] and the blocked form.
void channels_last_to_blocked(const BlockedShape& shape, const float* from, float* blocked,
                              const Services& services);
void blocked_to_channels_last(const BlockedShape& shape, const float* blocked, float* to,
                              const Services& services);

}  // namespace tenon::kernels
