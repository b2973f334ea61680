// The geometry of ConvTranspose, for its shape rule, reference and kernel rows.
#pragma once

#include <vector>

#include "ops/core/infer.h"
#include "ops/spatial/window.h"

namespace tenon::ops {

struct TransposedWindow {
  Window window;
  std::vector<int64_t> output_padding;  ///< One for each axis.
  std::vector<int64_t> output_shape;    ///< Empty when not given.
  int64_t group = 1;
};
/// kInvalidModel as read_window(), and for paddings, shapes and groups that are out of range.
Result<TransposedWindow> read_transposed(const Attributes& attributes, std::vector<int64_t> kernel);

/// Size of the output along an axis. kInvalidModel when the pads are larger.
Result<SymInt> transposed_size(const TransposedWindow& t, size_t axis, const SymInt& input);

/// All axes for an input of these spatial sizes: input and kernel describe the forward convolution from the
/// output (WindowAxis::input) back to the input (WindowAxis::output).
Result<WindowAxes> resolve_transposed(const TransposedWindow& t, const int64_t* spatial);

}  // namespace tenon::ops
