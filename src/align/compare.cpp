#include "align/compare.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "base/try.h"
#include "ir/value_type.h"
#include "tensor/element.h"

namespace tenon {

std::string OutputComparison::Offender::place() const {
  std::string text;
  int64_t rest = index;
  for (size_t d = shape.size(); d-- > 0;) {
    const int64_t size = std::max<int64_t>(shape[d], 1);
    text = fmt::format("{}{}{}", rest % size, text.empty() ? "" : ",", text);
    rest /= size;
  }
  return "[" + text + "]";
}

}  // namespace tenon

namespace tenon::alignment {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kOffendersMax = 5;
constexpr size_t kDecades = 81;  // of OutputComparison::histogram

// |a - d|; 0 for NaN against NaN and for equal infinities, infinite where only one is special.
double distance(double actual, double desired) {
  if (std::isnan(actual) || std::isnan(desired))
    return std::isnan(actual) && std::isnan(desired) ? 0 : kInfinity;
  if (std::isinf(actual) || std::isinf(desired)) return actual == desired ? 0 : kInfinity;
  return std::fabs(actual - desired);
}

double distance(std::complex<double> actual, std::complex<double> desired) {
  return std::hypot(distance(actual.real(), desired.real()), distance(actual.imag(), desired.imag()));
}

double ratio(double difference, double allowed) {
  if (difference == 0) return 0;
  return allowed == 0 ? kInfinity : difference / allowed;
}

// Elements that float64 cannot hold (64-bit integers, strings) are compared as they are.
bool compares_exactly(DataType type) {
  return type == DataType::kInt64 || type == DataType::kUInt64 || type == DataType::kString;
}

}  // namespace

OutputGatherer::OutputGatherer(std::string name, Tolerance tolerance, bool any_precision)
    : tolerance_(tolerance), any_precision_(any_precision) {
  result_.name = std::move(name);
}

std::string OutputGatherer::type_text(const Value& value) const {
  ValueType type = ValueType::of(value);
  if (any_precision_ && type.is_tensor() && is_float(type.element)) type.element = DataType::kFloat64;
  return type.to_string();
}

void OutputGatherer::add(int sample, const Value* actual, const Value* desired) {
  if (!actual || !desired) {
    if (result_.problem.empty())
      result_.problem = actual ? "the reference has no such output" : "the candidate has no such output";
    return;
  }
  if (sample == 0)
    first_ = *desired;
  else if (!result_.varies)
    result_.varies = !same_value(first_, *desired);
  add_value(sample, *actual, *desired);
}

void OutputGatherer::add_value(int sample, const Value& actual, const Value& desired) {
  const std::string actual_type = type_text(actual), desired_type = type_text(desired);
  if (actual_type != desired_type) {
    if (result_.problem.empty())
      result_.problem = fmt::format("sample {}: the candidate gives {}, the reference {}", sample,
                                    actual_type, desired_type);
    return;
  }
  if (actual.is_tensor()) {
    add_tensor(sample, actual.tensor(), desired.tensor());
  } else if (actual.is_sequence()) {
    const auto& a = actual.sequence().items;
    const auto& d = desired.sequence().items;
    if (a.size() != d.size()) {
      result_.problem = fmt::format("sample {}: the candidate gives {} items, the reference {}", sample,
                                    a.size(), d.size());
      return;
    }
    for (size_t i = 0; i < a.size(); ++i) add_value(sample, a[i], d[i]);
  } else if (!same_value(actual, desired)) {
    result_.problem = fmt::format("sample {}: the values differ", sample);
  }
}

void OutputGatherer::add_tensor(int sample, const Tensor& actual, const Tensor& desired) {
  const int64_t count = actual.size();
  result_.elements += count;
  const bool is_text = actual.is_string();
  map_.begin(sample, desired.shape());
  auto note = [&](int64_t i, double difference, double magnitude, double a, double d) {
    const double use = ratio(difference, tolerance_.atol + tolerance_.rtol * magnitude);
    if (!(use <= 1)) {
      ++result_.mismatched;
      if (result_.offenders.size() < kOffendersMax)
        result_.offenders.push_back({sample, i, desired.shape(), a, d});
    }
    map_.add(i, use);
    if (!is_text) points_.add({a, d, use});
    result_.max_abs = std::max(result_.max_abs, difference);
    // As numpy.testing does it: where zero is desired there is no relative difference.
    if (magnitude != 0) result_.max_rel = std::max(result_.max_rel, difference / magnitude);
    if (use > worst_) {
      worst_ = use;
      result_.worst_sample = sample;
      result_.budget_use = use;
    }
    const double least =
        std::isinf(difference) ? kInfinity : std::max(0.0, difference - tolerance_.rtol * magnitude);
    result_.tightest_atol_at_rtol = std::max(result_.tightest_atol_at_rtol, least);
    const double tenths = difference == 0 ? 0 : std::clamp(std::log10(difference) * 10 + 401, 1.0, 800.0);
    ++histogram_[static_cast<size_t>(tenths)];
  };
  if (compares_exactly(actual.type())) {
    for (int64_t i = 0; i < count; ++i) {
      if (is_text) {
        note(i, actual.data<std::string>()[i] == desired.data<std::string>()[i] ? 0 : kInfinity, 0, 0, 0);
      } else {
        int64_t a = load_element<int64_t>(actual, i), d = load_element<int64_t>(desired, i);
        auto wide_a = static_cast<double>(a), wide_d = static_cast<double>(d);
        note(i, a == d ? 0 : std::max(1.0, std::fabs(wide_a - wide_d)), std::fabs(wide_d), wide_a, wide_d);
      }
    }
    return;
  }
  if (compute_kind(actual.type()) == ComputeKind::kComplex) {
    for (int64_t i = 0; i < count; ++i) {
      auto a = load_element<std::complex<double>>(actual, i),
           d = load_element<std::complex<double>>(desired, i);
      note(i, distance(a, d), std::abs(d), std::abs(a), std::abs(d));
    }
    return;
  }
  const auto a = to_doubles(actual), d = to_doubles(desired);
  for (size_t i = 0; i < a.size(); ++i)
    note(static_cast<int64_t>(i), distance(a[i], d[i]), std::isfinite(d[i]) ? std::fabs(d[i]) : 0, a[i],
         d[i]);
}

void OutputGatherer::add_float64(const Value& actual, const Value& desired, const Value& arbiter) {
  if (!actual.is_tensor() || !desired.is_tensor() || !arbiter.is_tensor()) return;
  const Tensor& exact = arbiter.tensor();
  if (!is_float(exact.type()) || actual.tensor().shape() != exact.shape() ||
      desired.tensor().shape() != exact.shape())
    return;
  auto& [reference, candidate] =
      result_.max_abs_vs_float64 ? *result_.max_abs_vs_float64 : result_.max_abs_vs_float64.emplace(0.0, 0.0);
  reference = std::max(reference, max_distance(desired.tensor(), exact));
  candidate = std::max(candidate, max_distance(actual.tensor(), exact));
}

OutputComparison OutputGatherer::finish() {
  auto percentile = [&](double share) {
    const auto target = static_cast<int64_t>(std::ceil(share * static_cast<double>(result_.elements)));
    int64_t seen = 0;
    for (size_t i = 0; i < histogram_.size(); ++i) {
      seen += histogram_[i];
      if (seen < target) continue;
      if (i == 0) return 0.0;
      const double end = std::pow(10.0, (static_cast<double>(i) - 400) / 10);
      return i + 1 < histogram_.size() ? std::min(end, result_.max_abs) : result_.max_abs;
    }
    return 0.0;
  };
  result_.histogram.assign(kDecades, 0);
  for (size_t i = 0; i < histogram_.size(); ++i) {
    const auto decade = i == 0 ? size_t{0} : std::clamp<size_t>((i - 1) / 10 + 1, 1, kDecades - 1);
    result_.histogram[decade] += histogram_[i];
  }
  result_.percentile_50 = percentile(0.5);
  result_.percentile_90 = percentile(0.9);
  result_.percentile_99 = percentile(0.99);
  result_.map = map_.finish();
  result_.points = points_.finish();
  return result_;
}

double max_distance(const Tensor& a, const Tensor& b) {
  const auto x = to_doubles(a), y = to_doubles(b);
  double result = 0;
  for (size_t i = 0; i < x.size() && i < y.size(); ++i) result = std::max(result, distance(x[i], y[i]));
  return result;
}

double max_magnitude(const Tensor& a) {
  double result = 0;
  for (double v : to_doubles(a))
    if (!std::isnan(v)) result = std::max(result, std::fabs(v));
  return result;
}

bool has_nan(const Tensor& a) {
  if (!is_float(a.type())) return false;
  const auto values = to_doubles(a);
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

bool same_value(const Value& a, const Value& b) {
  if (ValueType::of(a).to_string() != ValueType::of(b).to_string()) return false;
  if (a.is_tensor()) {
    const Tensor& x = a.tensor();
    const Tensor& y = b.tensor();
    if (x.is_string()) return std::equal(x.strings().begin(), x.strings().end(), y.strings().begin());
    if (x.bytes() == 0 || std::equal(x.raw(), x.raw() + x.bytes(), y.raw())) return true;
    return is_float(x.type()) && max_distance(x, y) == 0;
  }
  if (a.is_sequence())
    return std::equal(a.sequence().items.begin(), a.sequence().items.end(), b.sequence().items.begin(),
                      b.sequence().items.end(), same_value);
  if (a.is_optional()) {
    const auto& x = a.optional().value;
    const auto& y = b.optional().value;
    return (!x && !y) || (x && y && same_value(*x, *y));
  }
  const auto& x = a.map().entries;
  const auto& y = b.map().entries;
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), [](const auto& p, const auto& q) {
           return p.first == q.first && same_value(p.second, q.second);
         });
}

}  // namespace tenon::alignment
