#include "ir/aten/sym_expr.h"

#include <fmt/format.h>

#include <algorithm>

namespace tenon::aten {

namespace {

// An upper bound of what the polynomial of an expression takes. Products of sums grow exponentially with the
// text that a hostile file spends on them; beyond the bound an expression stays a tree.
struct Cost {
  double terms = 1;
  double degree = 0;
  double length = 20;  // characters when printed
};
constexpr Cost kMaxCost{128, 16, 65536};

bool within(const Cost& cost) {
  return cost.terms <= kMaxCost.terms && cost.degree <= kMaxCost.degree && cost.length <= kMaxCost.length;
}

struct Converted {
  SymInt value;
  Cost cost;
};

struct Sum {
  static Cost cost(const Cost& a, const Cost& b) {
    return {a.terms + b.terms, std::max(a.degree, b.degree), a.length + b.length};
  }
  SymInt operator()(const SymInt& a, const SymInt& b) const { return a + b; }
};
struct Extreme {
  bool largest;
  static Cost cost(const Cost& a, const Cost& b) {
    return {std::max(a.terms, b.terms), std::max({a.degree, b.degree, 1.0}), a.length + b.length + 10};
  }
  SymInt operator()(const SymInt& a, const SymInt& b) const { return largest ? max(a, b) : min(a, b); }
};

class Converter {
 public:
  std::optional<Converted> convert(const SymExpr& expr) {
    switch (expr.op) {
      case SymOp::kSymbol:
        return Converted{SymInt::symbol(expr.name), {1, 1, static_cast<double>(expr.name.size())}};
      case SymOp::kInt:
        return Converted{SymInt(expr.int_value), {}};
      case SymOp::kAdd:
        return fold(expr, Sum{});
      case SymOp::kMul: {
        std::optional<Converted> result = convert(expr.operands[0]);
        for (size_t i = 1; i < expr.operands.size() && result; ++i) {
          auto next = convert(expr.operands[i]);
          result = next ? product(*result, *next) : std::nullopt;
        }
        return result;
      }
      case SymOp::kPow:
        return power(expr);
      case SymOp::kFloorDiv:
        return divide(expr.operands[0], expr.operands[1], floor_div);
      case SymOp::kMod:
        return divide(expr.operands[0], expr.operands[1], mod);
      case SymOp::kCeil:
      case SymOp::kFloor: {
        const SymExpr& inner = expr.operands[0];
        if (inner.op != SymOp::kTrueDiv) return convert(inner);
        return divide(inner.operands[0], inner.operands[1], expr.op == SymOp::kCeil ? ceil_div : floor_div);
      }
      case SymOp::kMin:
        return fold(expr, Extreme{false});
      case SymOp::kMax:
        return fold(expr, Extreme{true});
      case SymOp::kAbs: {
        auto value = convert(expr.operands[0]);
        if (!value || !pay(value->cost)) return std::nullopt;
        return Converted{max(value->value, 0 - value->value), {1, 1, 2 * value->cost.length + 10}};
      }
      default:
        return std::nullopt;
    }
  }

  double work() const { return work_; }

 private:
  // Every step writes its result anew, so that a chain of n steps writes n^2 characters.
  static constexpr double kMaxWork = 1 << 18;

  bool pay(const Cost& cost) {
    if (!within(cost) || work_ + cost.length > kMaxWork) return false;
    work_ += cost.length;
    return true;
  }

  std::optional<Converted> product(const Converted& a, const Converted& b) {
    Cost cost{a.cost.terms * b.cost.terms, a.cost.degree + b.cost.degree,
              a.cost.length * b.cost.terms + b.cost.length * a.cost.terms};
    if (!pay(cost)) return std::nullopt;
    return Converted{a.value * b.value, cost};
  }

  std::optional<Converted> power(const SymExpr& expr) {
    auto base = convert(expr.operands[0]);
    const SymExpr& exponent = expr.operands[1];
    if (!base || exponent.op != SymOp::kInt || exponent.int_value < 0 || exponent.int_value > 16)
      return std::nullopt;
    std::optional<Converted> result = Converted{SymInt(1), {}};
    for (int64_t i = 0; i < exponent.int_value && result; ++i) result = product(*result, *base);
    return result;
  }

  // A division or remainder, whose divisor must not be zero.
  template <class Apply>
  std::optional<Converted> divide(const SymExpr& a, const SymExpr& b, const Apply& function) {
    auto x = convert(a);
    if (!x) return std::nullopt;
    auto y = convert(b);
    if (!y || y->value.is(0)) return std::nullopt;
    Cost cost{x->cost.terms + 1, std::max(x->cost.degree, 1.0), x->cost.length + y->cost.length + 10};
    if (!pay(cost)) return std::nullopt;
    return Converted{function(x->value, y->value), cost};
  }

  // min, max, sums: any number of operands.
  template <class Apply>
  std::optional<Converted> fold(const SymExpr& expr, const Apply& function) {
    std::optional<Converted> result = convert(expr.operands[0]);
    for (size_t i = 1; i < expr.operands.size() && result; ++i) {
      auto next = convert(expr.operands[i]);
      if (!next) return std::nullopt;
      Cost cost = function.cost(result->cost, next->cost);
      if (!pay(cost)) return std::nullopt;
      result = Converted{function(result->value, next->value), cost};
    }
    return result;
  }

  double work_ = 0;
};

std::string join(const std::vector<SymExpr>& operands, std::string_view separator) {
  std::string out;
  for (const SymExpr& operand : operands) {
    if (!out.empty()) out += separator;
    bool plain = operand.operands.empty();
    out += plain ? to_string(operand) : fmt::format("({})", to_string(operand));
  }
  return out;
}

std::string call(std::string_view function, const std::vector<SymExpr>& operands) {
  std::string out(function);
  out += '(';
  for (size_t i = 0; i < operands.size(); ++i) out += (i ? ", " : "") + to_string(operands[i]);
  return out + ")";
}

}  // namespace

std::optional<SymInt> to_sym_int(const SymExpr& expr, size_t* written_bytes) {
  Converter converter;
  auto converted = converter.convert(expr);
  if (written_bytes != nullptr) *written_bytes = static_cast<size_t>(converter.work());
  if (!converted) return std::nullopt;
  return std::move(converted->value);
}

std::string to_string(const SymExpr& expr) {
  switch (expr.op) {
    case SymOp::kSymbol:
      return expr.name;
    case SymOp::kInt:
      return std::to_string(expr.int_value);
    case SymOp::kFloat:
      return fmt::format("{}", expr.float_value);
    case SymOp::kBool:
      return expr.int_value ? "true" : "false";
    case SymOp::kAdd:
      return join(expr.operands, " + ");
    case SymOp::kMul:
      return join(expr.operands, "*");
    case SymOp::kPow:
      return join(expr.operands, "**");
    case SymOp::kFloorDiv:
      return join(expr.operands, "//");
    case SymOp::kMod:
      return join(expr.operands, "%");
    case SymOp::kTrueDiv:
      return join(expr.operands, "/");
    case SymOp::kCeil:
      return call("ceil", expr.operands);
    case SymOp::kFloor:
      return call("floor", expr.operands);
    case SymOp::kTrunc:
      return call("trunc", expr.operands);
    case SymOp::kRound:
      return call("round", expr.operands);
    case SymOp::kToFloat:
      return call("float", expr.operands);
    case SymOp::kSqrt:
      return call("sqrt", expr.operands);
    case SymOp::kAbs:
      return call("abs", expr.operands);
    case SymOp::kMin:
      return call("min", expr.operands);
    case SymOp::kMax:
      return call("max", expr.operands);
    case SymOp::kWhere:
      return call("where", expr.operands);
    case SymOp::kEqual:
      return join(expr.operands, " == ");
    case SymOp::kNotEqual:
      return join(expr.operands, " != ");
    case SymOp::kLess:
      return join(expr.operands, " < ");
    case SymOp::kLessEqual:
      return join(expr.operands, " <= ");
    case SymOp::kGreater:
      return join(expr.operands, " > ");
    case SymOp::kGreaterEqual:
      return join(expr.operands, " >= ");
    case SymOp::kAnd:
      return join(expr.operands, " && ");
    case SymOp::kOr:
      return join(expr.operands, " || ");
    case SymOp::kNot:
      return call("not", expr.operands);
  }
  return {};
}

}  // namespace tenon::aten
