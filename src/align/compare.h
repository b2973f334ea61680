// Element by element: the comparison that every verdict of align rests on.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "align/element_views.h"
#include "tenon/align.h"

namespace tenon::alignment {

struct Tolerance {
  double rtol, atol;
};

/// Gathers one output's comparison over samples.
class OutputGatherer {
 public:
  /// With `any_precision` the float types count as one: a side in float64 against one in float32.
  OutputGatherer(std::string name, Tolerance tolerance, bool any_precision = false);

  /// Adds one sample. Another kind, element type or shape is a problem, and so is a missing value (null).
  void add(int sample, const Value* actual, const Value* desired);
  /// Adds one sample's distances from the float64 arbiter.
  void add_float64(const Value& actual, const Value& desired, const Value& arbiter);
  OutputComparison finish();

 private:
  std::string type_text(const Value& value) const;
  void add_value(int sample, const Value& actual, const Value& desired);
  void add_tensor(int sample, const Tensor& actual, const Tensor& desired);

  Tolerance tolerance_;
  MapGatherer map_;
  PointGatherer points_;
  bool any_precision_;
  OutputComparison result_;
  std::array<int64_t, 801> histogram_{};  // of |a - d| by tenths of a decade from 1e-40 on
  Value first_;
  double worst_ = -1;
};

/// max |a - b| over two tensors of the same shape; infinity where one is NaN or infinite and the other not.
double max_distance(const Tensor& a, const Tensor& b);
/// max |a|, ignoring NaN.
double max_magnitude(const Tensor& a);
bool has_nan(const Tensor& a);
/// Whether all bits that matter are the same: type, shape, elements (NaN equal to NaN).
bool same_value(const Value& a, const Value& b);

}  // namespace tenon::alignment
