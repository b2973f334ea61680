// Kernel rows of LayerNormalization, and for the nodes that stand for it (ops/fusion/layer_norm.h).
#pragma once

#include "ops/core/kernel.h"

namespace tenon::ops {

/// In the order of trying.
extern const KernelRow kLayerNormRows[6];

/// Whether a scale or bias has a float32 for each element of a line of these axes, perhaps behind axes of 1.
bool is_along_line(const Tensor& parameter, const Shape& line);

bool fits_printed_layer_norm(const Region& region);
Result<std::unique_ptr<Kernel>> prepare_printed_layer_norm(Isa isa, const Region& region);

}  // namespace tenon::ops
