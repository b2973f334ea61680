// out = in * scale + shift, where scale and shift repeat every `lanes` elements.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace tenon::kernels {

/// `lanes` is 1 or that of a vector register; `shift` may be null, and is then not added.
using ChannelScaleFunction = void (*)(const float* in, float* out, int64_t count, const float* scale,
                                      const float* shift, int64_t lanes);
ChannelScaleFunction channel_scale_function(Isa isa);

}  // namespace tenon::kernels
