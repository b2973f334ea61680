#include "ops/spatial/window.h"

namespace tenon::ops {

namespace {

constexpr int64_t kLargest = int64_t{1} << 31;  // of a stride, a pad, ...: keeps products inside 64 bits

Result<std::vector<int64_t>> read_list(const Attributes& attributes, std::string_view name, size_t length,
                                       int64_t fallback, int64_t least) {
  std::vector<int64_t> values = attributes.integers(name);
  if (values.empty()) values.assign(length, fallback);
  if (values.size() != length)
    return fail(ErrorCode::kInvalidModel, "{} has {} values, expected {}", name, values.size(), length);
  for (int64_t value : values)
    if (value < least || value > kLargest)
      return fail(ErrorCode::kInvalidModel, "{} holds {}, expected at least {}", name, value, least);
  return values;
}

}  // namespace

Result<Window> read_window(const Attributes& attributes, std::vector<int64_t> kernel) {
  Window window;
  const size_t axes = kernel.size();
  window.kernel = std::move(kernel);
  for (int64_t size : window.kernel)
    if (size < 1 || size > kLargest)
      return fail(ErrorCode::kInvalidModel, "the kernel has {} elements along an axis, expected at least 1",
                  size);
  window.strides = TENON_TRY(read_list(attributes, "strides", axes, 1, 1));
  window.dilations = TENON_TRY(read_list(attributes, "dilations", axes, 1, 1));
  std::vector<int64_t> pads = TENON_TRY(read_list(attributes, "pads", 2 * axes, 0, 0));
  const std::string auto_pad = attributes.string("auto_pad", "NOTSET");
  if (auto_pad == "SAME_UPPER")
    window.auto_pad = AutoPad::kSameUpper;
  else if (auto_pad == "SAME_LOWER")
    window.auto_pad = AutoPad::kSameLower;
  else if (auto_pad == "VALID")
    window.auto_pad = AutoPad::kValid;
  else if (!auto_pad.empty() && auto_pad != "NOTSET")
    return fail(ErrorCode::kInvalidModel, "auto_pad is '{}'", auto_pad);
  if (window.auto_pad != AutoPad::kNotSet) pads.assign(2 * axes, 0);
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(axes);
  window.pads_begin.assign(pads.begin(), middle);
  window.pads_end.assign(middle, pads.end());
  window.ceil_mode = attributes.integer("ceil_mode") != 0;
  return window;
}

Result<Window> read_pool_window(const Attributes& attributes, size_t axes) {
  std::vector<int64_t> kernel = attributes.integers("kernel_shape");
  if (kernel.size() != axes)
    return fail(ErrorCode::kInvalidModel, "kernel_shape has {} values for {} spatial axes", kernel.size(),
                axes);
  return read_window(attributes, std::move(kernel));
}

Result<SymInt> output_size(const Window& window, size_t axis, const SymInt& input) {
  const int64_t stride = window.strides[axis], extent = window.extent(axis);
  if (window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower)
    return ceil_div(input, stride);
  const SymInt padded = input + (window.pads_begin[axis] + window.pads_end[axis]);
  const SymInt room = padded - extent;
  SymInt size;
  if (window.ceil_mode)
    size = min(ceil_div(room, stride) + 1, ceil_div(input + window.pads_begin[axis], stride));
  else
    size = floor_div(room, stride) + 1;
  if (auto known = size.constant(); known && *known < 0)
    return fail(ErrorCode::kInvalidModel, "a window of {} elements does not fit into {} (padding included)",
                extent, padded.to_string());
  return size;
}

Result<WindowAxes> resolve_window(const Window& window, const int64_t* spatial) {
  WindowAxes axes(window.axes());
  for (size_t i = 0; i < axes.size(); ++i) {
    WindowAxis& axis = axes[i];
    axis = {
        spatial[i],        0, window.kernel[i], window.strides[i], window.dilations[i], window.pads_begin[i],
        window.pads_end[i]};
    axis.output = *TENON_TRY(output_size(window, i, axis.input)).constant();
    if (window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower) {
      int64_t total = std::max<int64_t>(0, (axis.output - 1) * axis.stride + window.extent(i) - axis.input);
      axis.pad_begin = window.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
      axis.pad_end = total - axis.pad_begin;
    }
  }
  return axes;
}

Result<SymShape> pooled_shape(const Window& window, const SymShape& input) {
  SymShape shape = {input[0], input[1]};
  for (size_t i = 0; i < window.axes(); ++i) shape.push_back(TENON_TRY(output_size(window, i, input[i + 2])));
  return shape;
}

std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

bool next_index(std::vector<int64_t>& index, const std::vector<int64_t>& sizes) {
  for (size_t i = sizes.size(); i-- > 0;) {
    if (++index[i] < sizes[i]) return true;
    index[i] = 0;
  }
  return false;
}

}  // namespace tenon::ops
