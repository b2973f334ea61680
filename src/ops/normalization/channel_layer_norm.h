// LayerNormalization over the channels of images [N, C, H, W]: ONNX says it as a Transpose to channels last,
// a LayerNormalization of the last axis, and a Transpose back. Read by the partitioner and by kernel rows.
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// Whether the region is these three nodes, of float32 with a known number of channels and constant scale and
/// bias.
bool is_channel_layer_norm(const Region& region);

/// For such a region, from and to the blocked layout of `isa`.
Result<std::unique_ptr<Kernel>> prepare_channel_layer_norm(Isa isa, const Region& region);

}  // namespace tenon::ops
