// The joining of tensors along an axis: Concat and ConcatFromSequence.
#pragma once

#include <vector>

#include "ops/core/kernel.h"
#include "tensor/sym_int.h"

namespace tenon::ops {

/// The shape of tensors joined along `axis` (non-negative). Dimensions elsewhere must agree: a constant wins
/// over a symbol; kInvalidModel when two constants differ or ranks do.
Result<SymShape> concat_shape(const std::vector<const SymShape*>& shapes, int64_t axis);

/// Writes the tensors, one after the other along `axis`, into output 0. Shapes must fit (concat_shape).
void concat_into_output(KernelContext& context, const std::vector<const Tensor*>& parts, int64_t axis,
                        Shape shape);

}  // namespace tenon::ops
