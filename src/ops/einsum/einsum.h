// Einsum at opsets that do not have it.
#pragma once

#include "ops/core/versions.h"

namespace tenon::ops {

/// Below opset 12 writes an Einsum of two operands without repeated letters as Transpose, Reshape and MatMul;
/// sizes of more than one letter that are joined into one must be known.
Status emit_einsum(EmitContext& context);

}  // namespace tenon::ops
