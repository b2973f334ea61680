#include "tensor/sym_int.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace tenon {

namespace {

enum class AtomKind { kSymbol, kFloorDiv, kMod, kMin, kMax };

int64_t floor_div_int(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int64_t>(-static_cast<uint64_t>(a));
  int64_t q = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

int64_t wrap_mul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
int64_t wrap_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

}  // namespace

struct SymAtom {
  AtomKind kind;
  std::string text;  // a symbol's name, or the printed function: the ordering and identity of atoms
  SymInt a, b;       // operands of a function
};

using AtomPtr = std::shared_ptr<const SymAtom>;

struct Monomial {
  std::vector<AtomPtr> factors;  // sorted by text, repeated for powers; empty: the constant term
  int64_t coefficient;
};

// Terms sorted by the text of their factors, longest first; no zero coefficients; at least one factor in all.
struct SymPolynomial {
  std::vector<Monomial> terms;

  static std::vector<Monomial> terms_of(const SymInt& value) {
    if (value.polynomial_) return value.polynomial_->terms;
    if (value.constant_ == 0) return {};
    return {Monomial{{}, value.constant_}};
  }

  static std::string key(const Monomial& m) {
    std::string out;
    for (const AtomPtr& atom : m.factors) out += atom->text + "*";
    return out;
  }

  static SymInt from_terms(const std::vector<Monomial>& terms) {
    std::map<std::string, Monomial, std::greater<>> merged;
    for (const Monomial& term : terms) {
      auto [it, fresh] = merged.try_emplace(key(term), term);
      if (!fresh) it->second.coefficient = wrap_add(it->second.coefficient, term.coefficient);
    }
    auto polynomial = std::make_shared<SymPolynomial>();
    for (auto& [k, term] : merged)
      if (term.coefficient != 0) polynomial->terms.push_back(std::move(term));
    if (polynomial->terms.empty()) return SymInt(0);
    if (polynomial->terms.size() == 1 && polynomial->terms[0].factors.empty())
      return SymInt(polynomial->terms[0].coefficient);
    SymInt result;
    result.polynomial_ = std::move(polynomial);
    return result;
  }

  static SymInt from_atom(AtomKind kind, std::string text, SymInt a, SymInt b) {
    auto atom = std::make_shared<SymAtom>(SymAtom{kind, std::move(text), std::move(a), std::move(b)});
    return from_terms({Monomial{{std::move(atom)}, 1}});
  }

  static bool nonnegative(const SymAtom& atom) {
    switch (atom.kind) {
      case AtomKind::kSymbol:
        return true;
      case AtomKind::kMod:  // the remainder has the divisor's sign
        return is_nonnegative(atom.b);
      case AtomKind::kFloorDiv:
      case AtomKind::kMin:
        return is_nonnegative(atom.a) && is_nonnegative(atom.b);
      case AtomKind::kMax:
        return is_nonnegative(atom.a) || is_nonnegative(atom.b);
    }
    return false;
  }

  static bool nonnegative(const std::vector<Monomial>& terms) {
    return std::all_of(terms.begin(), terms.end(), [](const Monomial& term) {
      return term.coefficient >= 0 && std::all_of(term.factors.begin(), term.factors.end(),
                                                  [](const AtomPtr& atom) { return nonnegative(*atom); });
    });
  }

  static SymInt apply(AtomKind kind, const SymInt& a, const SymInt& b) {
    switch (kind) {
      case AtomKind::kFloorDiv:
        return floor_div(a, b);
      case AtomKind::kMod:
        return mod(a, b);
      case AtomKind::kMin:
        return tenon::min(a, b);
      case AtomKind::kMax:
        return tenon::max(a, b);
      case AtomKind::kSymbol:
        break;
    }
    return a;
  }
};

SymInt SymInt::symbol(std::string name) {
  return SymPolynomial::from_atom(AtomKind::kSymbol, std::move(name), {}, {});
}

std::optional<std::string> SymInt::symbol_name() const {
  if (!polynomial_ || polynomial_->terms.size() != 1) return std::nullopt;
  const Monomial& term = polynomial_->terms[0];
  if (term.coefficient != 1 || term.factors.size() != 1 || term.factors[0]->kind != AtomKind::kSymbol)
    return std::nullopt;
  return term.factors[0]->text;
}

std::string SymInt::to_string() const {
  if (!polynomial_) return std::to_string(constant_);
  std::string out;
  for (const Monomial& term : polynomial_->terms) {
    int64_t c = term.coefficient;
    if (!out.empty())
      out += c < 0 ? " - " : " + ";
    else if (c < 0)
      out += "-";
    uint64_t magnitude = c < 0 ? -static_cast<uint64_t>(c) : static_cast<uint64_t>(c);
    std::string product;
    for (const AtomPtr& atom : term.factors) product += (product.empty() ? "" : "*") + atom->text;
    if (product.empty())
      out += std::to_string(magnitude);
    else
      out += magnitude == 1 ? product : fmt::format("{}*{}", magnitude, product);
  }
  return out;
}

std::optional<int64_t> SymInt::evaluate(const Lookup& lookup) const {
  if (!polynomial_) return constant_;
  int64_t sum = 0;
  for (const Monomial& term : polynomial_->terms) {
    int64_t product = term.coefficient;
    for (const AtomPtr& atom : term.factors) {
      std::optional<int64_t> factor;
      if (atom->kind == AtomKind::kSymbol) {
        factor = lookup(atom->text);
      } else {
        auto a = atom->a.evaluate(lookup), b = atom->b.evaluate(lookup);
        if (a && b) factor = SymPolynomial::apply(atom->kind, SymInt(*a), SymInt(*b)).constant();
      }
      if (!factor || __builtin_mul_overflow(product, *factor, &product)) return std::nullopt;
    }
    if (__builtin_add_overflow(sum, product, &sum)) return std::nullopt;
  }
  return sum;
}

SymInt SymInt::substitute(const std::function<std::optional<SymInt>(const std::string&)>& lookup) const {
  if (!polynomial_) return *this;
  SymInt sum = 0;
  for (const Monomial& term : polynomial_->terms) {
    SymInt product = term.coefficient;
    for (const AtomPtr& atom : term.factors) {
      if (atom->kind == AtomKind::kSymbol) {
        auto replacement = lookup(atom->text);
        product *= replacement ? *replacement : SymPolynomial::from_terms({Monomial{{atom}, 1}});
      } else {
        product *= SymPolynomial::apply(atom->kind, atom->a.substitute(lookup), atom->b.substitute(lookup));
      }
    }
    sum += product;
  }
  return sum;
}

void SymInt::collect_symbols(std::vector<std::string>& names) const {
  if (!polynomial_) return;
  for (const Monomial& term : polynomial_->terms)
    for (const AtomPtr& atom : term.factors) {
      if (atom->kind == AtomKind::kSymbol) {
        names.push_back(atom->text);
      } else {
        atom->a.collect_symbols(names);
        atom->b.collect_symbols(names);
      }
    }
}

SymInt operator+(const SymInt& a, const SymInt& b) {
  if (a.is_constant() && b.is_constant()) return wrap_add(a.constant_, b.constant_);
  auto terms = SymPolynomial::terms_of(a);
  auto more = SymPolynomial::terms_of(b);
  terms.insert(terms.end(), more.begin(), more.end());
  return SymPolynomial::from_terms(terms);
}

SymInt operator-(const SymInt& a, const SymInt& b) {
  return a + b * SymInt(-1);
}

SymInt operator*(const SymInt& a, const SymInt& b) {
  if (a.is_constant() && b.is_constant()) return wrap_mul(a.constant_, b.constant_);
  std::vector<Monomial> terms;
  for (const Monomial& x : SymPolynomial::terms_of(a))
    for (const Monomial& y : SymPolynomial::terms_of(b)) {
      Monomial product{x.factors, wrap_mul(x.coefficient, y.coefficient)};
      product.factors.insert(product.factors.end(), y.factors.begin(), y.factors.end());
      std::sort(product.factors.begin(), product.factors.end(),
                [](const AtomPtr& p, const AtomPtr& q) { return p->text < q->text; });
      terms.push_back(std::move(product));
    }
  return SymPolynomial::from_terms(terms);
}

bool operator==(const SymInt& a, const SymInt& b) {
  if (a.is_constant() || b.is_constant())
    return a.is_constant() && b.is_constant() && a.constant_ == b.constant_;
  if (a.polynomial_ == b.polynomial_) return true;
  const auto& x = a.polynomial_->terms;
  const auto& y = b.polynomial_->terms;
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const Monomial& p, const Monomial& q) {
    return p.coefficient == q.coefficient &&
           std::equal(p.factors.begin(), p.factors.end(), q.factors.begin(), q.factors.end(),
                      [](const AtomPtr& s, const AtomPtr& t) { return s == t || s->text == t->text; });
  });
}

std::optional<SymInt> exact_div(const SymInt& a, const SymInt& b) {
  if (b.is(0)) return std::nullopt;
  if (a == b) return SymInt(1);
  auto divisor = SymPolynomial::terms_of(b);
  if (divisor.size() != 1) return std::nullopt;
  std::vector<Monomial> quotient;
  for (Monomial term : SymPolynomial::terms_of(a)) {
    if (term.coefficient % divisor[0].coefficient != 0) return std::nullopt;
    term.coefficient = floor_div_int(term.coefficient, divisor[0].coefficient);
    for (const AtomPtr& factor : divisor[0].factors) {
      auto it = std::find_if(term.factors.begin(), term.factors.end(),
                             [&](const AtomPtr& atom) { return atom->text == factor->text; });
      if (it == term.factors.end()) return std::nullopt;
      term.factors.erase(it);
    }
    quotient.push_back(std::move(term));
  }
  return SymPolynomial::from_terms(quotient);
}

SymInt floor_div(const SymInt& a, const SymInt& b) {
  auto x = a.constant(), y = b.constant();
  if (x && y) return floor_div_int(*x, *y);
  if (y && *y == 0) return 0;
  if (auto exact = exact_div(a, b)) return *exact;
  if (y) {  // pull out the terms that the divisor divides
    std::vector<Monomial> whole, rest;
    for (Monomial term : SymPolynomial::terms_of(a)) {
      int64_t q = floor_div_int(term.coefficient, *y);
      int64_t r = term.coefficient - q * *y;
      if (r == 0 || term.factors.empty()) {
        if (q != 0) whole.push_back({term.factors, q});
        if (r != 0) rest.push_back({term.factors, r});
      } else {
        rest.push_back(term);
      }
    }
    if (!whole.empty())
      return SymPolynomial::from_terms(whole) + floor_div(SymPolynomial::from_terms(rest), b);
  }
  std::string text = fmt::format("floor(({})/({}))", a.to_string(), b.to_string());
  if (a.symbol_name() && y) text = fmt::format("floor({}/{})", a.to_string(), b.to_string());
  return SymPolynomial::from_atom(AtomKind::kFloorDiv, std::move(text), a, b);
}

SymInt ceil_div(const SymInt& a, const SymInt& b) {
  return SymInt(0) - floor_div(SymInt(0) - a, b);
}

SymInt mod(const SymInt& a, const SymInt& b) {
  auto x = a.constant(), y = b.constant();
  if (x && y) return *y == 0 ? 0 : *x - floor_div_int(*x, *y) * *y;
  if (exact_div(a, b)) return 0;
  return SymPolynomial::from_atom(AtomKind::kMod, fmt::format("mod({}, {})", a.to_string(), b.to_string()), a,
                                  b);
}

SymInt min(const SymInt& a, const SymInt& b) {
  auto x = a.constant(), y = b.constant();
  if (x && y) return std::min(*x, *y);
  SymInt difference = a - b;
  if (auto d = difference.constant()) return *d <= 0 ? a : b;
  if (is_nonnegative(difference)) return b;
  if (is_nonnegative(b - a)) return a;
  return SymPolynomial::from_atom(AtomKind::kMin, fmt::format("min({}, {})", a.to_string(), b.to_string()), a,
                                  b);
}

SymInt max(const SymInt& a, const SymInt& b) {
  auto x = a.constant(), y = b.constant();
  if (x && y) return std::max(*x, *y);
  SymInt difference = a - b;
  if (auto d = difference.constant()) return *d >= 0 ? a : b;
  if (is_nonnegative(difference)) return a;
  if (is_nonnegative(b - a)) return b;
  return SymPolynomial::from_atom(AtomKind::kMax, fmt::format("max({}, {})", a.to_string(), b.to_string()), a,
                                  b);
}

bool is_nonnegative(const SymInt& a) {
  return SymPolynomial::nonnegative(SymPolynomial::terms_of(a));
}

std::string to_string(const SymShape& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? "," : "") + shape[i].to_string();
  return out + "]";
}

SymInt element_count(const SymShape& shape) {
  SymInt count = 1;
  for (const SymInt& dim : shape) count *= dim;
  return count;
}

std::optional<std::vector<int64_t>> constant_shape(const SymShape& shape) {
  std::vector<int64_t> out;
  for (const SymInt& dim : shape) {
    auto value = dim.constant();
    if (!value) return std::nullopt;
    out.push_back(*value);
  }
  return out;
}

SymShape to_sym(const std::vector<int64_t>& shape) {
  return SymShape(shape.begin(), shape.end());
}

}  // namespace tenon
