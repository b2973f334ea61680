#include "align/similar.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "base/try.h"
#include "tensor/element.h"

namespace tenon {

namespace {

constexpr double kBFloat16Rtol = 0x1p-6;
constexpr int64_t kChunk = 4096;

std::string_view kind_name(const Value& value) {
  if (value.is_tensor()) return "a tensor";
  if (value.is_sequence()) return "a sequence";
  return value.is_optional() ? "an optional" : "a map";
}

Error different(std::string_view what, int64_t mismatched, int64_t size) {
  return fail(ErrorCode::kMismatch, "{} of {} elements differ, the first is {}", mismatched, size, what);
}

bool is_within(double actual, double desired, const SimilarityTolerance& tolerance) {
  if (std::isnan(actual) || std::isnan(desired)) return std::isnan(actual) && std::isnan(desired);
  if (std::isinf(actual) || std::isinf(desired)) return actual == desired;
  return std::abs(actual - desired) <= tolerance.atol + tolerance.rtol * std::abs(desired);
}

bool is_within(const std::complex<double>& actual, const std::complex<double>& desired,
               const SimilarityTolerance& tolerance) {
  const auto is_finite = [](const std::complex<double>& z) {
    return std::isfinite(z.real()) && std::isfinite(z.imag());
  };
  if (!is_finite(actual) || !is_finite(desired)) {
    return is_within(actual.real(), desired.real(), tolerance) &&
           is_within(actual.imag(), desired.imag(), tolerance);
  }
  return std::abs(actual - desired) <= tolerance.atol + tolerance.rtol * std::abs(desired);
}

/// Integers are compared exactly where double cannot hold them.
template <class T>
bool is_within(T actual, T desired, const SimilarityTolerance& tolerance) {
  return actual == desired || is_within(static_cast<double>(actual), static_cast<double>(desired), tolerance);
}

std::string text_of(const std::complex<double>& value) {
  return fmt::format("{}{:+}i", value.real(), value.imag());
}
template <class T>
std::string text_of(T value) {
  return fmt::format("{}", value);
}

template <class T>
Status compare_elements(const Tensor& actual, const Tensor& desired, const SimilarityTolerance& tolerance) {
  std::vector<T> a(kChunk);
  std::vector<T> d(kChunk);
  int64_t mismatched = 0;
  std::string first;
  for (int64_t begin = 0; begin < desired.size(); begin += kChunk) {
    const int64_t count = std::min(kChunk, desired.size() - begin);
    load_elements<T>(actual.type(), actual.raw(), begin, count, a.data());
    load_elements<T>(desired.type(), desired.raw(), begin, count, d.data());
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      if (is_within(a[at], d[at], tolerance)) continue;
      if (mismatched++ == 0) {
        first = fmt::format("element {}: {} instead of {}", begin + i, text_of(a[at]), text_of(d[at]));
      }
    }
  }
  return mismatched == 0 ? Status() : different(first, mismatched, desired.size());
}

Status compare_strings(const Tensor& actual, const Tensor& desired) {
  int64_t mismatched = 0;
  int64_t first = 0;
  for (int64_t i = desired.size() - 1; i >= 0; --i) {
    if (actual.strings()[static_cast<size_t>(i)] == desired.strings()[static_cast<size_t>(i)]) continue;
    ++mismatched;
    first = i;
  }
  if (mismatched == 0) return {};
  const auto at = static_cast<size_t>(first);
  return different(
      fmt::format("element {}: \"{}\" instead of \"{}\"", first, actual.strings()[at], desired.strings()[at]),
      mismatched, desired.size());
}

Status compare_tensors(const Tensor& actual, const Tensor& desired, SimilarityTolerance tolerance) {
  if (actual.type() != desired.type()) {
    return fail(ErrorCode::kMismatch, "the element type is {} instead of {}", data_type_name(actual.type()),
                data_type_name(desired.type()));
  }
  if (actual.shape() != desired.shape()) {
    return fail(ErrorCode::kMismatch, "the shape is {} instead of {}", to_string(actual.shape()),
                to_string(desired.shape()));
  }
  if (desired.type() == DataType::kBFloat16) tolerance.rtol = std::max(tolerance.rtol, kBFloat16Rtol);
  switch (compute_kind(desired.type())) {
    case ComputeKind::kString:
      return compare_strings(actual, desired);
    case ComputeKind::kComplex:
      return compare_elements<std::complex<double>>(actual, desired, tolerance);
    case ComputeKind::kSigned:
      return compare_elements<int64_t>(actual, desired, tolerance);
    case ComputeKind::kUnsigned:
      return compare_elements<uint64_t>(actual, desired, tolerance);
    case ComputeKind::kFloat:
      return compare_elements<double>(actual, desired, tolerance);
  }
  return {};
}

Status inside(Status status, std::string_view where) {
  if (!status.ok()) status.error().message = fmt::format("{}: {}", where, status.error().message);
  return status;
}

Status compare_maps(const Map& actual, const Map& desired, const SimilarityTolerance& tolerance) {
  if (actual.entries.size() != desired.entries.size()) {
    return fail(ErrorCode::kMismatch, "the map has {} entries instead of {}", actual.entries.size(),
                desired.entries.size());
  }
  for (const auto& [key, value] : desired.entries) {
    const auto found = actual.entries.find(key);
    const auto* number = std::get_if<int64_t>(&key);
    const std::string name = number ? fmt::format("{}", *number) : std::get<std::string>(key);
    if (found == actual.entries.end()) return fail(ErrorCode::kMismatch, "the map lacks the key {}", name);
    TENON_TRY(inside(check_similar(found->second, value, tolerance), fmt::format("key {}", name)));
  }
  return {};
}

}  // namespace

Status check_similar(const Value& actual, const Value& desired, const SimilarityTolerance& tolerance) {
  if (desired.is_tensor() && actual.is_tensor())
    return compare_tensors(actual.tensor(), desired.tensor(), tolerance);
  if (desired.is_map() && actual.is_map()) return compare_maps(actual.map(), desired.map(), tolerance);
  if (desired.is_sequence() && actual.is_sequence()) {
    const std::vector<Value>& items = actual.sequence().items;
    const std::vector<Value>& desired_items = desired.sequence().items;
    if (items.size() != desired_items.size()) {
      return fail(ErrorCode::kMismatch, "the sequence has {} items instead of {}", items.size(),
                  desired_items.size());
    }
    for (size_t i = 0; i < items.size(); ++i)
      TENON_TRY(inside(check_similar(items[i], desired_items[i], tolerance), fmt::format("item {}", i)));
    return {};
  }
  if (desired.is_optional() && actual.is_optional()) {
    const auto& inner = actual.optional().value;
    const auto& desired_inner = desired.optional().value;
    if ((inner == nullptr) != (desired_inner == nullptr))
      return fail(ErrorCode::kMismatch, "the optional is {}empty", inner == nullptr ? "" : "not ");
    return inner == nullptr ? Status() : check_similar(*inner, *desired_inner, tolerance);
  }
  return fail(ErrorCode::kMismatch, "the value is {} instead of {}", kind_name(actual), kind_name(desired));
}

}  // namespace tenon
