#include "tensor/size_range.h"

#include <fmt/format.h>

#include <vector>

namespace tenon {

namespace {

/// The largest least size that PyTorch does not check when a program runs.
constexpr int64_t kUncheckedMin = 2;

}  // namespace

std::string SizeRange::to_string() const {
  if (is_any()) return "any size";
  if (!min) return fmt::format("at most {}", *max);
  if (!max) return fmt::format("at least {}", *min);
  return *min == *max ? fmt::format("{}", *min) : fmt::format("{} to {}", *min, *max);
}

std::optional<LinearSize> LinearSize::of(const SymInt& dimension) {
  if (auto name = dimension.symbol_name()) return LinearSize{std::move(*name), 1, 0};
  std::vector<std::string> symbols;
  dimension.collect_symbols(symbols);
  if (symbols.empty()) return std::nullopt;
  for (const std::string& symbol : symbols)
    if (symbol != symbols[0]) return std::nullopt;
  const auto at = [&](int64_t value) {
    return dimension.evaluate([&](const std::string&) { return std::optional<int64_t>(value); });
  };
  const auto zero = at(0), one = at(1);
  LinearSize form{symbols[0], 0, zero.value_or(0)};
  if (!zero || !one || __builtin_sub_overflow(*one, *zero, &form.factor) || form.factor == 0)
    return std::nullopt;
  if (!(SymInt(form.factor) * SymInt::symbol(form.symbol) + form.offset == dimension)) return std::nullopt;
  return form;
}

std::optional<int64_t> LinearSize::solve(int64_t size) const {
  int64_t rest = 0;
  if (__builtin_sub_overflow(size, offset, &rest) || (rest == INT64_MIN && factor == -1)) return std::nullopt;
  if (rest % factor != 0 || rest / factor < 0) return std::nullopt;
  return rest / factor;
}

SizeRange allowed_sizes(const SymInt& dimension, const SizeRanges& ranges) {
  if (ranges.empty() || dimension.is_constant()) return {};
  const auto known = ranges.find(dimension.to_string());
  if (known == ranges.end()) return {};
  SizeRange range = known->second;
  if (range.min && *range.min <= kUncheckedMin) range.min.reset();
  return range;
}

}  // namespace tenon
