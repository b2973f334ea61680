// Columns of a convolution: for a run of output positions, the input elements that each kernel element meets.
// The convolution is then a matrix product of weights and columns.
#pragma once

#include <vector>

#include "ops/spatial/window.h"
#include "tenon/tensor.h"

namespace tenon::ops {

/// One group's channels of one image, and the window that slides over them.
struct ImageColumns {
  const Tensor* image;    ///< (N, C, spatial...)
  int64_t first_element;  ///< Of the group's first channel.
  int64_t channels;       ///< Of the group.
  WindowAxes axes;        ///< At least one.

  int64_t input_size() const;   ///< Elements of one channel.
  int64_t output_size() const;  ///< Output positions.
  int64_t kernel_size() const;  ///< Elements of the kernel in one channel.
  int64_t rows() const { return channels * kernel_size(); }
};

/// Fills `columns`, rows() by (end - begin) in row-major order, for output positions [begin, end). Elements
/// outside the image are 0; `offset` is subtracted from the others (the zero point of quantised images). T is
/// double or int64_t.
template <class T>
void fill_columns(const ImageColumns& source, int64_t begin, int64_t end, T offset, T* columns);

}  // namespace tenon::ops
