// The head of a region whose anchor is a MatMul of two tensors: the nodes before it that only say where the
// elements of its operands lie, or scale them by a number. Read by the partitioner and by kernel rows.
#pragma once

#include <optional>

#include "ops/core/kernel.h"
#include "ops/views/strided_view.h"

namespace tenon::ops {

struct MatMulHead {
  struct Side {
    size_t input = 0;      ///< Index in Region::inputs.
    int64_t elements = 0;  ///< That the input has.
    int64_t offset = 0;    ///< Where its first matrix begins.
    Shape batch_strides;   ///< From one matrix to the next along each axis of MatMulHead::batch_shape.
    int64_t row_stride = 0, column_stride = 0;
    std::optional<float> scale;
  };
  Side a, b;
  int64_t rows = 0, columns = 0, depth = 0;
  Shape shape;        ///< Of the output; it has elements.
  Shape batch_shape;  ///< Its axes but the last two.
};

/// A view as the operand of batches of the shape `batches`: dimensions of 1 repeat. nullopt when others do
/// not fit, or the elements of its matrices do not lie one beside the other along any dimension.
std::optional<MatMulHead::Side> matmul_side(const StridedView& view, const Shape& batches);

/// nullopt when an operand is a constant, has no elements, is no strided view or not known in shape, or its
/// elements do not lie one beside the other along any dimension of a matrix.
std::optional<MatMulHead> matmul_head(const Region& region);

}  // namespace tenon::ops
