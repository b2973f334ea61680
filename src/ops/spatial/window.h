// Sliding windows over the spatial axes of a tensor (N, C, D1, ..., Dn): what convolutions and pools share.
// Reads kernel_shape, strides, dilations, pads, auto_pad and ceil_mode from a node, says the size of the
// output, and, for sizes that are known, which input elements each window covers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/try.h"
#include "ir/attributes.h"
#include "tenon/inline_vector.h"
#include "tensor/sym_int.h"

namespace tenon::ops {

enum class AutoPad : uint8_t { kNotSet, kSameUpper, kSameLower, kValid };

/// The attributes with their defaults filled in, one entry for each spatial axis.
struct Window {
  std::vector<int64_t> kernel, strides, dilations;
  std::vector<int64_t> pads_begin, pads_end;
  AutoPad auto_pad = AutoPad::kNotSet;
  bool ceil_mode = false;

  size_t axes() const { return kernel.size(); }
  /// Elements that the kernel spans along an axis, gaps of dilation included.
  int64_t extent(size_t axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
};

/// One spatial axis with all of its sizes.
struct WindowAxis {
  int64_t input = 0, output = 0, kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;

  /// Input coordinate of kernel element 0 for an output coordinate; may be negative.
  int64_t start(int64_t out) const { return out * stride - pad_begin; }
  /// Kernel elements [first, last) whose input coordinate lies in [0, limit).
  int64_t first(int64_t out) const {
    int64_t s = start(out);
    return s >= 0 ? 0 : std::min(kernel, (-s + dilation - 1) / dilation);
  }
  int64_t last(int64_t out, int64_t limit) const {
    int64_t s = start(out);
    return s >= limit ? 0 : std::min(kernel, (limit - s + dilation - 1) / dilation);
  }
};

/// Reads the attributes of a window with `kernel` elements along each axis. kInvalidModel when lists have
/// another length, or when a value is not in its range (strides and dilations from 1, pads from 0).
Result<Window> read_window(const Attributes& attributes, std::vector<int64_t> kernel);
/// The same with kernel_shape from the attributes, which must hold `axes` numbers.
Result<Window> read_pool_window(const Attributes& attributes, size_t axes);

/// Size of the output along an axis ("output_spatial_shape" of Conv, MaxPool, AveragePool). With ceil_mode no
/// window starts beyond the input and its leading padding. kInvalidModel when the window does not fit.
Result<SymInt> output_size(const Window& window, size_t axis, const SymInt& input);

/// All axes for an input of these spatial sizes; auto_pad is resolved into pads.
using WindowAxes = InlineVector<WindowAxis, 3>;
Result<WindowAxes> resolve_window(const Window& window, const int64_t* spatial);

/// The shape rule of pools: (N, C, spatial...) to (N, C, output sizes...).
Result<SymShape> pooled_shape(const Window& window, const SymShape& input);

/// Elements before each element of an axis repeats: row-major strides of a shape.
std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape);

/// Steps `index` through a box of these sizes in row-major order; false after the last one. An empty box has
/// one element.
bool next_index(std::vector<int64_t>& index, const std::vector<int64_t>& sizes);

}  // namespace tenon::ops
