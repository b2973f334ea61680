// Symbolic scalar expressions of an exported PyTorch program: what torch.export writes as SymPy text for the
// integers, floats and booleans that depend on the sizes of inputs. Dimensions of tensors use SymInt; this
// tree keeps what SymInt cannot say (floats, comparisons, logic) for lowering to turn into ONNX nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/sym_int.h"

namespace tenon::aten {

/// What one node of an expression computes from its operands.
enum class SymOp : uint8_t {
  kSymbol,    ///< `name`
  kInt,       ///< `int_value`
  kFloat,     ///< `float_value`
  kBool,      ///< `int_value` is 0 or 1
  kAdd,       ///< any number of operands
  kMul,       ///< any number of operands
  kPow,       ///< base, exponent
  kFloorDiv,  ///< toward minus infinity
  kMod,       ///< the remainder of kFloorDiv
  kTrueDiv,   ///< float division
  kCeil,      ///< of a float, to an integer
  kFloor,     ///< of a float, to an integer
  kTrunc,     ///< of a float, to an integer
  kRound,     ///< of a float, to the nearest even integer
  kToFloat,   ///< an integer as a float
  kSqrt,
  kAbs,
  kMin,    ///< any number of operands
  kMax,    ///< any number of operands
  kWhere,  ///< condition, value if true, value if false
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,  ///< any number of operands
  kOr,   ///< any number of operands
  kNot,
};

struct SymExpr {
  SymOp op = SymOp::kInt;
  std::string name{};
  int64_t int_value = 0;
  double float_value = 0;
  std::vector<SymExpr> operands{};
};

/// The expression as a SymInt, when it is an integer built from + - * floor division, modulo, minimum,
/// maximum and whole powers; nullopt otherwise, when a constant overflows, or when writing it out would take
/// much longer than reading it. `written_bytes` receives what was written, in bytes, in all steps together.
std::optional<SymInt> to_sym_int(const SymExpr& expr, size_t* written_bytes = nullptr);

/// "2*s77 + 1", "s77 >= 4 && u0 < 3": for messages and the text printer.
std::string to_string(const SymExpr& expr);

/// Parses the `srepr` form that SymPy prints: nested calls such as
/// "Add(Mul(Integer(2), Symbol('s77', integer=True)), Integer(1))". Nothing is evaluated as code. Nesting is
/// limited to 100 levels. Errors: kMalformed (not such a text), kUnsupported (a function not in SymOp).
Result<SymExpr> parse_srepr(std::string_view text);

}  // namespace tenon::aten
