// Which sizes symbolic dimensions may have. An exported PyTorch program holds for some sizes only: it was
// traced under that condition.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tensor/sym_int.h"

namespace tenon {

struct SizeRange {
  std::optional<int64_t> min;  ///< nullopt: minus infinity.
  std::optional<int64_t> max;  ///< nullopt: infinity.

  bool holds(int64_t size) const { return (!min || size >= *min) && (!max || size <= *max); }
  bool is_any() const { return !min && !max; }
  /// "3 to 8", "at least 3", "at most 8", "any size".
  std::string to_string() const;
};

/// By the text of the dimension: "s77", "2*s77".
using SizeRanges = std::map<std::string, SizeRange>;

/// factor * symbol + offset, with a factor that is not 0.
struct LinearSize {
  std::string symbol;
  int64_t factor = 1;
  int64_t offset = 0;

  /// The dimension in this form; nullopt when it has another (a constant, a product of symbols).
  static std::optional<LinearSize> of(const SymInt& dimension);
  /// The symbol's value where the whole is `size`; nullopt where no size of at least 0 gives that.
  std::optional<int64_t> solve(int64_t size) const;
};

/// The sizes that a dimension may have, by PyTorch's rule: a least size of 2 or less does not count, because
/// tracing takes 0 and 1 for special cases and keeps programs open to them.
SizeRange allowed_sizes(const SymInt& dimension, const SizeRanges& ranges);

}  // namespace tenon
