#include <algorithm>
#include <cmath>

#include "ops/resize/resize.h"

namespace tenon::ops {

namespace {

bool is_outside(const ResizeOptions& options, const ResizeAxis& axis, double x) {
  return options.coordinates == Coordinates::kTfCropAndResize &&
         !(x >= 0 && x <= static_cast<double>(axis.input - 1));
}

// The convolution kernels of linear and cubic interpolation (Keys, 1981, equation 4) at a distance.
double filter(ResizeMode mode, double a, double distance) {
  const double d = std::fabs(distance);
  if (mode == ResizeMode::kLinear) return d < 1 ? 1 - d : 0;
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

}  // namespace

ResizeTaps interpolation_taps(const ResizeOptions& options, const ResizeAxis& axis) {
  const double radius = options.mode == ResizeMode::kLinear ? 1 : 2;
  // Downsampling with antialias stretches the filter.
  const double shrink = options.antialias ? std::min(axis.scale, 1.0) : 1;
  const double support = radius / shrink;
  ResizeTaps taps;
  taps.offsets.push_back(0);
  for (int64_t i = 0; i < axis.output; ++i) {
    const double x = original_coordinate(options.coordinates, axis, i);
    taps.outside.push_back(is_outside(options, axis, x));
    const size_t first = taps.indices.size();
    if (!taps.outside.back()) {
      // Positions that far outside all read the same edge element.
      const double limit = static_cast<double>(axis.input) + support + 1;
      const double centre = std::clamp(x, -limit, limit);
      const auto low = static_cast<int64_t>(std::floor(centre - support)) + 1;
      const auto high = static_cast<int64_t>(std::ceil(centre + support)) - 1;
      double sum = 0;
      for (int64_t tap = low; tap <= high; ++tap) {
        if (options.exclude_outside && (tap < 0 || tap >= axis.input)) continue;
        const double weight =
            filter(options.mode, options.cubic_a, (static_cast<double>(tap) - centre) * shrink);
        sum += weight;
        const int64_t index = std::clamp<int64_t>(tap, 0, axis.input - 1);
        if (taps.indices.size() > first && taps.indices.back() == index) {
          taps.weights.back() += weight;
        } else {
          taps.indices.push_back(index);
          taps.weights.push_back(weight);
        }
      }
      if ((options.exclude_outside || options.antialias) && sum != 0)
        for (size_t tap = first; tap < taps.weights.size(); ++tap) taps.weights[tap] /= sum;
    }
    taps.offsets.push_back(taps.indices.size());
  }
  return taps;
}

std::vector<int64_t> nearest_indices(const ResizeOptions& options, const ResizeAxis& axis) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < axis.output; ++i) {
    double x = original_coordinate(options.coordinates, axis, i);
    // A scale such as 1.7 is a float32 beside the number that was meant, and 17 / 1.7 would be just below 10.
    if (!axis.from_sizes) x = static_cast<float>(x);
    if (is_outside(options, axis, x)) {
      indices.push_back(-1);
      continue;
    }
    double nearest = x;
    switch (options.nearest) {
      case NearestMode::kRoundPreferFloor:
        nearest = std::ceil(x - 0.5);
        break;
      case NearestMode::kRoundPreferCeil:
        nearest = std::floor(x + 0.5);
        break;
      case NearestMode::kFloor:
        nearest = std::floor(x);
        break;
      case NearestMode::kCeil:
        nearest = std::ceil(x);
        break;
    }
    indices.push_back(static_cast<int64_t>(std::clamp(nearest, 0.0, static_cast<double>(axis.input - 1))));
  }
  return indices;
}

}  // namespace tenon::ops
