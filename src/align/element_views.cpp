#include "align/element_views.h"

#include <algorithm>

namespace tenon::alignment {

namespace {

constexpr int64_t kRowsMax = 48, kColumnsMax = 64;
constexpr size_t kEvenMax = 800, kWorstMax = 200;

/// The cell that place `at` of `count` falls into.
size_t cell(int64_t at, int64_t count, size_t cells) {
  return static_cast<size_t>(static_cast<double>(at) * static_cast<double>(cells) /
                             static_cast<double>(count));
}

bool uses_less(const OutputComparison::Point& a, const OutputComparison::Point& b) {
  return a.use > b.use;  // the least one on top of the heap
}

}  // namespace

void MapGatherer::begin(int sample, const Shape& shape) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  const bool is_first = map_.columns == 0;
  const size_t rank = shape.size();
  if (is_first) map_.over_samples = rank < 2 || shape[rank - 2] < 2 || shape[rank - 1] < 2;
  const bool is_plane = !map_.over_samples && rank >= 2;
  width_ = std::max<int64_t>(is_plane ? shape[rank - 1] : count, 1);
  height_ = std::max<int64_t>(is_plane ? shape[rank - 2] : 1, 1);
  if (is_first) {
    map_.columns = static_cast<size_t>(std::min(width_, kColumnsMax));
    map_.rows = static_cast<size_t>(map_.over_samples ? 1 : std::min(height_, kRowsMax));
    map_.use.assign(map_.rows * map_.columns, 0);
  }
  map_.height = map_.over_samples ? sample + 1 : std::max(map_.height, height_);
  map_.width = std::max(map_.width, width_);
  sample_row_ = map_.over_samples ? row_of_sample(sample) : 0;
}

size_t MapGatherer::row_of_sample(int sample) {
  while (sample / samples_in_row_ >= kRowsMax) {
    for (size_t row = 0; row < map_.rows; ++row)
      for (size_t c = 0; c < map_.columns; ++c) {
        double& into = map_.use[row / 2 * map_.columns + c];
        const double from = map_.use[row * map_.columns + c];
        into = row % 2 == 0 ? from : std::max(into, from);
      }
    map_.rows = (map_.rows + 1) / 2;
    samples_in_row_ *= 2;
  }
  const auto row = static_cast<size_t>(sample / samples_in_row_);
  map_.rows = std::max(map_.rows, row + 1);
  map_.use.resize(map_.rows * map_.columns, 0);
  return row;
}

void MapGatherer::add(int64_t index, double use) {
  if (use == 0) return;
  const size_t row = map_.over_samples ? sample_row_ : cell(index / width_ % height_, height_, map_.rows);
  double& at = map_.use[row * map_.columns + cell(index % width_, width_, map_.columns)];
  at = std::max(at, use);
}

void PointGatherer::take(const OutputComparison::Point& point) {
  even_.push_back(point);
  if (even_.size() < kEvenMax) return;
  for (size_t i = 0; 2 * i < even_.size(); ++i) even_[i] = even_[2 * i];
  even_.resize((even_.size() + 1) / 2);
  stride_ *= 2;
}

void PointGatherer::keep(const OutputComparison::Point& point) {
  worst_.push_back(point);
  std::ranges::push_heap(worst_, uses_less);
  if (worst_.size() <= kWorstMax) return;
  std::ranges::pop_heap(worst_, uses_less);
  worst_.pop_back();
  least_ = worst_.front().use;
}

std::vector<OutputComparison::Point> PointGatherer::finish() const {
  std::vector<OutputComparison::Point> points = even_;
  points.insert(points.end(), worst_.begin(), worst_.end());
  return points;
}

}  // namespace tenon::alignment
