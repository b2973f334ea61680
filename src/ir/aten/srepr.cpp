// The parser of SymPy's `srepr` text. Grammar: call := name '(' [argument {', ' argument}] ')', argument :=
// call | integer | 'string' | name '=' anything | name.
#include <charconv>
#include <cmath>
#include <limits>

#include "base/try.h"
#include "ir/aten/sym_expr.h"

namespace tenon::aten {

namespace {

constexpr int kMaxDepth = 100;
constexpr size_t kMaxLength = size_t{1} << 20;

struct Function {
  std::string_view name;
  SymOp op;
  int min_operands;
  int max_operands;  // -1: any number
};

// Names of SymPy's own classes and of torch.utils._sympy.functions.
constexpr Function kFunctions[] = {
    {"Add", SymOp::kAdd, 1, -1},
    {"Mul", SymOp::kMul, 1, -1},
    {"Pow", SymOp::kPow, 2, 2},
    {"PowByNatural", SymOp::kPow, 2, 2},
    {"FloatPow", SymOp::kPow, 2, 2},
    {"FloorDiv", SymOp::kFloorDiv, 2, 2},
    {"CleanDiv", SymOp::kFloorDiv, 2, 2},
    {"Mod", SymOp::kMod, 2, 2},
    {"PythonMod", SymOp::kMod, 2, 2},
    {"IntTrueDiv", SymOp::kTrueDiv, 2, 2},
    {"FloatTrueDiv", SymOp::kTrueDiv, 2, 2},
    {"CeilToInt", SymOp::kCeil, 1, 1},
    {"ceiling", SymOp::kCeil, 1, 1},
    {"FloorToInt", SymOp::kFloor, 1, 1},
    {"floor", SymOp::kFloor, 1, 1},
    {"TruncToInt", SymOp::kTrunc, 1, 1},
    {"TruncToFloat", SymOp::kTrunc, 1, 1},
    {"RoundToInt", SymOp::kRound, 1, 1},
    {"ToFloat", SymOp::kToFloat, 1, 1},
    {"OpaqueUnaryFn_sqrt", SymOp::kSqrt, 1, 1},
    {"Abs", SymOp::kAbs, 1, 1},
    {"Min", SymOp::kMin, 1, -1},
    {"Max", SymOp::kMax, 1, -1},
    {"Where", SymOp::kWhere, 3, 3},
    {"Equality", SymOp::kEqual, 2, 2},
    {"Eq", SymOp::kEqual, 2, 2},
    {"Unequality", SymOp::kNotEqual, 2, 2},
    {"Ne", SymOp::kNotEqual, 2, 2},
    {"StrictLessThan", SymOp::kLess, 2, 2},
    {"LessThan", SymOp::kLessEqual, 2, 2},
    {"StrictGreaterThan", SymOp::kGreater, 2, 2},
    {"GreaterThan", SymOp::kGreaterEqual, 2, 2},
    {"And", SymOp::kAnd, 1, -1},
    {"Or", SymOp::kOr, 1, -1},
    {"Not", SymOp::kNot, 1, 1},
};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<SymExpr> parse() {
    SymExpr expr = TENON_TRY(expression(0));
    skip_spaces();
    if (at_ != text_.size()) return malformed("text after its end");
    return expr;
  }

 private:
  Error malformed(std::string_view what) const {
    return fail(ErrorCode::kMalformed, "symbolic expression has {} at character {}: {}", what, at_,
                text_.substr(0, 100));
  }

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view name() {
    skip_spaces();
    size_t begin = at_;
    while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Result<SymExpr> expression(int depth) {
    if (depth > kMaxDepth) return fail(ErrorCode::kLimit, "symbolic expression is nested too deeply");
    std::string_view word = name();
    if (word.empty()) return malformed("no function name");
    if (!take('(')) return constant(word);
    if (word == "Symbol" || word == "Dummy") return symbol();
    if (word == "Integer") return integer();
    if (word == "Float") return floating();
    if (word == "Rational") return rational();
    for (const Function& function : kFunctions)
      if (function.name == word) return call(function, depth);
    if (word == "Identity") {
      SymExpr inner = TENON_TRY(expression(depth + 1));
      if (!take(')')) return malformed("no closing parenthesis");
      return inner;
    }
    return fail(ErrorCode::kUnsupported, "symbolic expression uses the function {}", word);
  }

  Result<SymExpr> constant(std::string_view word) {
    if (word == "true" || word == "false") return SymExpr{.op = SymOp::kBool, .int_value = word == "true"};
    if (word == "oo" || word == "Infinity")
      return SymExpr{.op = SymOp::kFloat, .float_value = std::numeric_limits<double>::infinity()};
    if (word[0] >= '0' && word[0] <= '9') return malformed("a bare number");
    return SymExpr{.op = SymOp::kSymbol, .name = std::string(word)};
  }

  Result<SymExpr> call(const Function& function, int depth) {
    SymExpr expr{.op = function.op};
    while (!take(')')) {
      if (!expr.operands.empty() && !take(',')) return malformed("no comma");
      size_t before = at_;
      std::string_view word = name();
      if (!word.empty() && take('=')) {  // "evaluate=False"
        name();
        if (!take(')')) return malformed("no closing parenthesis");
        break;
      }
      at_ = before;
      expr.operands.push_back(TENON_TRY(expression(depth + 1)));
    }
    int count = static_cast<int>(expr.operands.size());
    if (count < function.min_operands || (function.max_operands >= 0 && count > function.max_operands))
      return malformed("the wrong number of operands");
    return expr;
  }

  Result<std::string_view> quoted() {
    skip_spaces();
    if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return malformed("no string");
    char quote = text_[at_++];
    size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) return malformed("a string without end");
    std::string_view value = text_.substr(at_, end - at_);
    at_ = end + 1;
    return value;
  }

  // Skips ", positive=True, integer=True" and the closing parenthesis.
  Status close() {
    while (take(',')) {
      name();
      if (!take('=')) return malformed("no keyword");
      name();
    }
    if (!take(')')) return malformed("no closing parenthesis");
    return {};
  }

  Result<SymExpr> symbol() {
    std::string_view value = TENON_TRY(quoted());
    if (value.empty() || value.size() > 256) return malformed("no usable symbol name");
    TENON_TRY(close());
    return SymExpr{.op = SymOp::kSymbol, .name = std::string(value)};
  }

  Result<int64_t> digits() {
    skip_spaces();
    int64_t value = 0;
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range)
      return fail(ErrorCode::kUnsupported, "symbolic expression has an integer beyond 64 bits");
    if (error != std::errc()) return malformed("no integer");
    at_ = static_cast<size_t>(end - text_.data());
    return value;
  }

  Result<SymExpr> integer() {
    int64_t value = TENON_TRY(digits());
    TENON_TRY(close());
    return SymExpr{.op = SymOp::kInt, .int_value = value};
  }

  Result<SymExpr> rational() {
    int64_t numerator = TENON_TRY(digits());
    if (!take(',')) return malformed("no denominator");
    int64_t denominator = TENON_TRY(digits());
    TENON_TRY(close());
    if (denominator == 0) return malformed("a zero denominator");
    SymExpr expr{.op = SymOp::kTrueDiv};
    expr.operands.push_back(SymExpr{.op = SymOp::kInt, .int_value = numerator});
    expr.operands.push_back(SymExpr{.op = SymOp::kInt, .int_value = denominator});
    return expr;
  }

  Result<SymExpr> floating() {
    std::string_view value = TENON_TRY(quoted());
    TENON_TRY(close());
    double number = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) return malformed("no number");
    return SymExpr{.op = SymOp::kFloat, .float_value = number};
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<SymExpr> parse_srepr(std::string_view text) {
  if (text.size() > kMaxLength) return fail(ErrorCode::kLimit, "symbolic expression is longer than 1 MiB");
  return Parser(text).parse();
}

}  // namespace tenon::aten
