// Symbolic integers: the dimensions of tensors whose size is not known when a model is read. A SymInt is a
// polynomial with integer coefficients over atoms; an atom is a named symbol or a function (floor division,
// modulo, minimum, maximum) of SymInts. Equal polynomials have one normal form, so == decides equality of
// everything that is built from + - * alone, and of most of the rest. A constant costs no allocation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tenon/error.h"

namespace tenon {

struct SymPolynomial;

class SymInt {
 public:
  SymInt(int64_t value = 0) : constant_(value) {}  // NOLINT: implicit by design
  static SymInt symbol(std::string name);

  bool is_constant() const { return polynomial_ == nullptr; }
  /// The value when constant.
  std::optional<int64_t> constant() const {
    return is_constant() ? std::optional<int64_t>(constant_) : std::nullopt;
  }
  bool is(int64_t value) const { return is_constant() && constant_ == value; }
  /// The name when this is a plain symbol, else nullopt.
  std::optional<std::string> symbol_name() const;

  /// "s0", "2*s0 + 1", "floor(s0/2)": stable text of the normal form.
  std::string to_string() const;

  /// The value under an assignment of symbols; nullopt when a symbol is missing or the arithmetic overflows.
  using Lookup = std::function<std::optional<int64_t>(const std::string&)>;
  std::optional<int64_t> evaluate(const Lookup& lookup) const;
  /// This expression with symbols replaced; symbols for which `lookup` gives nothing stay.
  SymInt substitute(const std::function<std::optional<SymInt>(const std::string&)>& lookup) const;
  /// Appends the names of all symbols.
  void collect_symbols(std::vector<std::string>& names) const;

  friend SymInt operator+(const SymInt& a, const SymInt& b);
  friend SymInt operator-(const SymInt& a, const SymInt& b);
  friend SymInt operator*(const SymInt& a, const SymInt& b);
  friend bool operator==(const SymInt& a, const SymInt& b);
  SymInt& operator+=(const SymInt& other) { return *this = *this + other; }
  SymInt& operator*=(const SymInt& other) { return *this = *this * other; }

 private:
  friend struct SymPolynomial;
  int64_t constant_ = 0;
  std::shared_ptr<const SymPolynomial> polynomial_;  // null: constant
};

/// Rounds toward minus infinity. Division by a constant zero gives 0 (callers check the divisor first).
SymInt floor_div(const SymInt& a, const SymInt& b);
/// Rounds toward plus infinity.
SymInt ceil_div(const SymInt& a, const SymInt& b);
/// The remainder of floor_div.
SymInt mod(const SymInt& a, const SymInt& b);
SymInt min(const SymInt& a, const SymInt& b);
SymInt max(const SymInt& a, const SymInt& b);
/// a / b when b divides a exactly as polynomials, else nullopt.
std::optional<SymInt> exact_div(const SymInt& a, const SymInt& b);

/// True when the value cannot be negative, given that symbols (dimensions) are not; false when that is not
/// evident.
bool is_nonnegative(const SymInt& a);

/// The dimensions of a tensor of known rank.
using SymShape = std::vector<SymInt>;
std::string to_string(const SymShape& shape);
/// The product of all dimensions.
SymInt element_count(const SymShape& shape);
/// The plain shape when every dimension is constant.
std::optional<std::vector<int64_t>> constant_shape(const SymShape& shape);
SymShape to_sym(const std::vector<int64_t>& shape);

}  // namespace tenon
