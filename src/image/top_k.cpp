#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/guard_memory.h"
#include "base/try.h"
#include "tenon/classify.h"
#include "tensor/element.h"

namespace tenon {

namespace {

/// Softmax needs a finite largest score; minus infinity elsewhere is a probability of zero.
Status check_finite(std::span<const double> row) {
  bool has_nan = std::any_of(row.begin(), row.end(), [](double score) { return std::isnan(score); });
  if (has_nan) return fail(ErrorCode::kNotComparable, "the model's scores have NaN among them");
  double largest = *std::max_element(row.begin(), row.end());
  if (!std::isfinite(largest))
    return fail(ErrorCode::kNotComparable, "the largest of the model's scores is {}", largest);
  return {};
}

bool is_distribution(std::span<const double> row) {
  constexpr double kSumTolerance = 1e-3;
  double sum = 0.0;
  for (double score : row) {
    if (score < 0.0 || score > 1.0) return false;
    sum += score;
  }
  return std::abs(sum - 1.0) <= kSumTolerance;
}

/// The k likeliest classes of one row; all scores are below +infinity.
std::vector<Prediction> best_of(std::span<const double> row, int64_t k,
                                const std::vector<std::string>& labels, ScoreKind kind) {
  bool probabilities =
      kind == ScoreKind::kProbabilities || (kind == ScoreKind::kAuto && is_distribution(row));
  std::vector<size_t> order(row.size());
  std::iota(order.begin(), order.end(), size_t{0});
  auto kept = static_cast<std::ptrdiff_t>(std::min<int64_t>(k, static_cast<int64_t>(row.size())));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(),
                    [&](size_t a, size_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
  double largest = row[order.front()];
  double sum = 0.0;
  for (double score : row) sum += std::exp(score - largest);
  std::vector<Prediction> best;
  for (size_t index : std::span(order).first(static_cast<size_t>(kept))) {
    double probability = probabilities ? row[index] : std::exp(row[index] - largest) / sum;
    best.push_back(
        {static_cast<int64_t>(index), row[index], probability, labels.empty() ? "" : labels[index]});
  }
  return best;
}

/// {pictures, classes} of a tensor of scores.
Result<std::pair<int64_t, int64_t>> layout(const Tensor& scores) {
  Shape shape = scores.shape();
  while (shape.size() > 2 && shape.back() == 1) shape.pop_back();
  ComputeKind kind = compute_kind(scores.type());
  if (!scores.defined() || kind == ComputeKind::kComplex || kind == ComputeKind::kString || shape.empty() ||
      shape.size() > 2 || shape.back() == 0)
    return with_hint(
        fail(ErrorCode::kMismatch, "the output is {} {}, which is not one row of class scores a picture",
             data_type_name(scores.type()), to_string(scores.shape())),
        "classifying needs a real output of shape [classes] or [pictures,classes]");
  return std::pair(shape.size() == 2 ? shape[0] : 1, shape.back());
}

}  // namespace

Result<std::vector<std::vector<Prediction>>> top_k(const Tensor& scores, int64_t k,
                                                   const std::vector<std::string>& labels, ScoreKind kind) {
  return guard_memory([&]() -> Result<std::vector<std::vector<Prediction>>> {
    auto [pictures, classes] = TENON_TRY(layout(scores));
    if (k < 1)
      return fail(ErrorCode::kUsage, "the number of classes to name is {}; it must be at least 1", k);
    if (!labels.empty() && static_cast<int64_t>(labels.size()) != classes)
      return fail(ErrorCode::kMismatch, "the model tells {} classes apart, and there are {} labels", classes,
                  labels.size());
    std::vector<double> values = to_doubles(scores);
    std::vector<std::vector<Prediction>> result;
    for (int64_t picture = 0; picture < pictures; ++picture) {
      std::span<const double> row(values.data() + picture * classes, static_cast<size_t>(classes));
      TENON_TRY(check_finite(row));
      result.push_back(best_of(row, k, labels, kind));
    }
    return result;
  });
}

}  // namespace tenon
