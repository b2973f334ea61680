// What pictures of an output need, however many elements it has: where the differences lie, as a map of few
// cells, and some of the elements, as points.
#pragma once

#include <cstdint>
#include <vector>

#include "tenon/align.h"

namespace tenon::alignment {

/// Gathers OutputComparison::Map.
class MapGatherer {
 public:
  /// The elements that follow are those of one tensor.
  void begin(int sample, const Shape& shape);
  /// The element at a row-major index, and its share of the budget.
  void add(int64_t index, double use);
  OutputComparison::Map finish() const { return map_; }

 private:
  size_t row_of_sample(int sample);

  OutputComparison::Map map_;
  int64_t height_ = 1, width_ = 1;  // of the tensor under way; a sample is a single row
  size_t sample_row_ = 0;
  int samples_in_row_ = 1;
};

/// Gathers OutputComparison::points: every so manieth element, more rarely as their number grows, and the
/// elements that use most of the budget.
class PointGatherer {
 public:
  void add(const OutputComparison::Point& point) {
    if ((seen_++ & (stride_ - 1)) == 0) take(point);
    if (point.use > least_) keep(point);
  }
  std::vector<OutputComparison::Point> finish() const;

 private:
  void take(const OutputComparison::Point& point);
  void keep(const OutputComparison::Point& point);

  uint64_t seen_ = 0, stride_ = 1;  // a power of two
  double least_ = 0;                // what an element must use to be among the worst
  std::vector<OutputComparison::Point> even_, worst_;
};

}  // namespace tenon::alignment
