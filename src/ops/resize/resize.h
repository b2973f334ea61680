// Resize: what its shape rule, reference and versions share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/core/op_def.h"
#include "ops/core/versions.h"
#include "tenon/tensor.h"

namespace tenon::ops {

enum class ResizeMode : uint8_t { kNearest, kLinear, kCubic };
enum class NearestMode : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
enum class Coordinates : uint8_t {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfCropAndResize,
  kTfHalfPixelForNn,  ///< Versions 11 and 12 only.
};
enum class AspectPolicy : uint8_t { kStretch, kNotLarger, kNotSmaller };

struct ResizeOptions {
  ResizeMode mode = ResizeMode::kNearest;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  Coordinates coordinates = Coordinates::kHalfPixel;
  AspectPolicy policy = AspectPolicy::kStretch;
  bool antialias = false, exclude_outside = false;
  double cubic_a = -0.75, extrapolation = 0;
  std::vector<int64_t> axes;  ///< As written; empty: all.
};
Result<ResizeOptions> read_resize_options(const Attributes& attributes);

/// How one axis is resized. `scale` is output / input, exactly when it comes from sizes, else as given.
struct ResizeAxis {
  int64_t input = 0, output = 0;
  double scale = 1;
  bool from_sizes = false;    ///< The scale is output / input.
  double start = 0, end = 1;  ///< The region of interest.
};

/// All axes of a tensor of this shape, for the constant inputs of the node (those not given: nullopt).
Result<std::vector<ResizeAxis>> resolve_resize(const ResizeOptions& options, const Shape& shape,
                                               const std::optional<std::vector<double>>& roi,
                                               const std::optional<std::vector<double>>& scales,
                                               const std::optional<std::vector<int64_t>>& sizes);

/// The input coordinate of an output coordinate (attribute coordinate_transformation_mode).
double original_coordinate(Coordinates mode, const ResizeAxis& axis, int64_t resized);

/// Weights of input elements along one axis: output i is the sum of weight * input[index] over taps
/// [offsets[i], offsets[i + 1]), or the extrapolation value where outside[i].
struct ResizeTaps {
  std::vector<size_t> offsets;
  std::vector<int64_t> indices;
  std::vector<double> weights;
  std::vector<bool> outside;
};
/// For modes linear and cubic.
ResizeTaps interpolation_taps(const ResizeOptions& options, const ResizeAxis& axis);
/// For mode nearest: the input element of each output element, -1 for the extrapolation value.
std::vector<int64_t> nearest_indices(const ResizeOptions& options, const ResizeAxis& axis);

/// Version 10 meant asymmetric coordinates rounded down.
Status upgrade_resize(UpgradeContext& context);
/// Axes below 18, scales and sizes below 13, Upsample below 10.
Status emit_resize(EmitContext& context);
/// The operator that Resize replaced: the same as Resize of version 10.
Status upgrade_upsample(UpgradeContext& context);

}  // namespace tenon::ops
