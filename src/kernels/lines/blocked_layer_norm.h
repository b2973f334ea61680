// Layer normalisation over the channels of images in the blocked layout.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/services.h"

namespace tenon::kernels {

struct BlockedLayerNormCall {
  const float* input = nullptr;  ///< NCHWc of the instruction set, kernels/layout/blocked.h.
  float* output = nullptr;       ///< The same. May be the input.
  int64_t images = 0, channels = 0, pixels = 0;
  const float* scale = nullptr;  ///< By channel, whole blocks.
  const float* bias = nullptr;   ///< The same.
  double epsilon = 0;
};
/// out = (x - mean) / sqrt(variance + epsilon) * scale + bias, mean and variance over the channels of a
/// pixel, the variance from the differences to the mean.
void blocked_layer_norm(const BlockedLayerNormCall& call, Isa isa, const Services& services);

}  // namespace tenon::kernels
