#include <algorithm>
#include <cmath>

#include "ops/core/infer.h"
#include "ops/resize/resize.h"

namespace tenon::ops {

namespace {

template <class T, size_t N>
Result<T> choose(const Attributes& attributes, std::string_view name, std::string_view fallback,
                 const std::pair<std::string_view, T> (&choices)[N]) {
  const std::string value = attributes.string(name, fallback);
  for (const auto& [text, choice] : choices)
    if (text == value) return choice;
  return fail(ErrorCode::kInvalidModel, "{} is '{}'", name, value);
}

}  // namespace

Result<ResizeOptions> read_resize_options(const Attributes& attributes) {
  ResizeOptions options;
  options.mode = TENON_TRY(choose<ResizeMode>(
      attributes, "mode", "nearest",
      {{"nearest", ResizeMode::kNearest}, {"linear", ResizeMode::kLinear}, {"cubic", ResizeMode::kCubic}}));
  options.nearest = TENON_TRY(choose<NearestMode>(attributes, "nearest_mode", "round_prefer_floor",
                                                  {{"round_prefer_floor", NearestMode::kRoundPreferFloor},
                                                   {"round_prefer_ceil", NearestMode::kRoundPreferCeil},
                                                   {"floor", NearestMode::kFloor},
                                                   {"ceil", NearestMode::kCeil}}));
  options.coordinates =
      TENON_TRY(choose<Coordinates>(attributes, "coordinate_transformation_mode", "half_pixel",
                                    {{"half_pixel", Coordinates::kHalfPixel},
                                     {"half_pixel_symmetric", Coordinates::kHalfPixelSymmetric},
                                     {"pytorch_half_pixel", Coordinates::kPytorchHalfPixel},
                                     {"align_corners", Coordinates::kAlignCorners},
                                     {"asymmetric", Coordinates::kAsymmetric},
                                     {"tf_crop_and_resize", Coordinates::kTfCropAndResize},
                                     {"tf_half_pixel_for_nn", Coordinates::kTfHalfPixelForNn}}));
  options.policy = TENON_TRY(choose<AspectPolicy>(attributes, "keep_aspect_ratio_policy", "stretch",
                                                  {{"stretch", AspectPolicy::kStretch},
                                                   {"not_larger", AspectPolicy::kNotLarger},
                                                   {"not_smaller", AspectPolicy::kNotSmaller}}));
  options.antialias = attributes.integer("antialias") != 0;
  options.exclude_outside = attributes.integer("exclude_outside") != 0;
  options.cubic_a = static_cast<double>(attributes.real("cubic_coeff_a", -0.75f));
  options.extrapolation = static_cast<double>(attributes.real("extrapolation_value", 0));
  options.axes = attributes.integers("axes");
  if (options.antialias && options.mode == ResizeMode::kNearest)
    return fail(ErrorCode::kInvalidModel, "antialias does not go with mode nearest");
  return options;
}

Result<std::vector<ResizeAxis>> resolve_resize(const ResizeOptions& options, const Shape& shape,
                                               const std::optional<std::vector<double>>& roi,
                                               const std::optional<std::vector<double>>& scales,
                                               const std::optional<std::vector<int64_t>>& sizes) {
  const auto rank = static_cast<int64_t>(shape.size());
  std::vector<size_t> axes;
  for (int64_t axis : options.axes) {
    axes.push_back(static_cast<size_t>(TENON_TRY(normalize_axis(axis, rank))));
    if (std::count(axes.begin(), axes.end(), axes.back()) != 1)
      return fail(ErrorCode::kInvalidModel, "axis {} is repeated", axis);
  }
  if (options.axes.empty())
    for (size_t i = 0; i < shape.size(); ++i) axes.push_back(i);
  if (scales.has_value() == sizes.has_value())
    return fail(ErrorCode::kInvalidModel, "exactly one of scales and sizes must be given");
  const size_t given = scales ? scales->size() : sizes->size();
  if (given != axes.size())
    return fail(ErrorCode::kInvalidModel, "{} has {} values for {} axes", scales ? "scales" : "sizes", given,
                axes.size());
  if (options.coordinates == Coordinates::kTfCropAndResize && (!roi || roi->size() != 2 * axes.size()))
    return fail(ErrorCode::kInvalidModel, "tf_crop_and_resize needs a roi of {} values", 2 * axes.size());

  std::vector<ResizeAxis> result(shape.size());
  for (size_t i = 0; i < shape.size(); ++i) result[i] = {shape[i], shape[i], 1, false, 0, 1};
  double common = options.policy == AspectPolicy::kNotLarger ? HUGE_VAL : 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    ResizeAxis& axis = result[axes[i]];
    if (options.coordinates == Coordinates::kTfCropAndResize) {
      axis.start = (*roi)[i];
      axis.end = (*roi)[axes.size() + i];
    }
    if (scales) {
      axis.scale = (*scales)[i];
      if (!(axis.scale > 0) || !std::isfinite(axis.scale))
        return fail(ErrorCode::kInvalidModel, "scales holds {}, expected a number above 0", axis.scale);
      // In float32, as ONNX's own shape inference computes it.
      float output = static_cast<float>(axis.input) * static_cast<float>(axis.scale);
      if (options.coordinates == Coordinates::kTfCropAndResize)
        output = static_cast<float>(static_cast<double>(axis.input) * (axis.end - axis.start) * axis.scale);
      output = std::floor(output);
      if (!(output >= 0 && output < 4e18f))
        return fail(ErrorCode::kInvalidModel, "the output of axis {} would have {} elements", axes[i],
                    output);
      axis.output = static_cast<int64_t>(output);
    } else {
      axis.output = (*sizes)[i];
      axis.from_sizes = true;
      if (axis.output < 0) return fail(ErrorCode::kInvalidModel, "sizes holds {}", axis.output);
      axis.scale = axis.input == 0 ? 1 : static_cast<double>(axis.output) / static_cast<double>(axis.input);
      common = options.policy == AspectPolicy::kNotLarger ? std::min(common, axis.scale)
                                                          : std::max(common, axis.scale);
    }
    if (axis.output > 0 && axis.input == 0)
      return fail(ErrorCode::kInvalidModel, "axis {} is empty: there is nothing to resize", axes[i]);
  }
  if (sizes && options.policy != AspectPolicy::kStretch)
    for (size_t i : axes) {
      result[i].scale = common;
      result[i].from_sizes = false;
      result[i].output = static_cast<int64_t>(common * static_cast<double>(result[i].input) + 0.5);
    }
  return result;
}

double original_coordinate(Coordinates mode, const ResizeAxis& axis, int64_t resized) {
  const auto x = static_cast<double>(resized), length = static_cast<double>(axis.input);
  const auto resized_length = static_cast<double>(axis.output);
  // Divided last, so that whole results are exact.
  auto unscaled = [&](double position) {
    return axis.from_sizes ? position * length / resized_length : position / axis.scale;
  };
  const double target = axis.from_sizes ? resized_length : length * axis.scale;  // may have a fraction
  switch (mode) {
    case Coordinates::kHalfPixel:
      return unscaled(x + 0.5) - 0.5;
    case Coordinates::kHalfPixelSymmetric:
      return length / 2 * (1 - resized_length / target) + unscaled(x + 0.5) - 0.5;
    case Coordinates::kPytorchHalfPixel:
      return axis.output > 1 ? unscaled(x + 0.5) - 0.5 : 0;
    case Coordinates::kAlignCorners:
      return target == 1 ? 0 : x * (length - 1) / (target - 1);
    case Coordinates::kAsymmetric:
      return unscaled(x);
    case Coordinates::kTfHalfPixelForNn:
      return unscaled(x + 0.5);
    case Coordinates::kTfCropAndResize:
      return axis.output > 1 ? axis.start * (length - 1) +
                                   x * (axis.end - axis.start) * (length - 1) / (resized_length - 1)
                             : 0.5 * (axis.start + axis.end) * (length - 1);
  }
  return x;
}

}  // namespace tenon::ops
