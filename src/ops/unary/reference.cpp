// References of the unary operators that are plain mathematical functions, after their entries in ONNX's
// Operators.md. Real types compute in double and round once.
#include <cmath>

#include "ops/unary/unary.h"

namespace tenon::ops {

namespace {

// |x| in two's complement: the most negative integer stays as it is.
struct Absolute {
  double operator()(double x) const { return std::fabs(x); }
  int64_t operator()(int64_t x) const {
    return x < 0 ? static_cast<int64_t>(0 - static_cast<uint64_t>(x)) : x;
  }
  uint64_t operator()(uint64_t x) const { return x; }
};

struct Negate {
  double operator()(double x) const { return -x; }
  int64_t operator()(int64_t x) const { return static_cast<int64_t>(0 - static_cast<uint64_t>(x)); }
  uint64_t operator()(uint64_t x) const { return 0 - x; }
};

// NaN has no sign: it stays NaN, as in numpy.
struct SignOf {
  double operator()(double x) const { return x > 0 ? 1.0 : x < 0 ? -1.0 : x == 0 ? 0.0 : x; }
  int64_t operator()(int64_t x) const { return x > 0 ? 1 : x < 0 ? -1 : 0; }
  uint64_t operator()(uint64_t x) const { return x > 0 ? 1 : 0; }
};

}  // namespace

UnaryLoops unary_loops(const Node& node) {
  switch (node.op) {
    case Op::kAbs:
      return numeric_loops(Absolute{});
    case Op::kNeg:
      return numeric_loops(Negate{});
    case Op::kSign:
      return numeric_loops(SignOf{});
    case Op::kCeil:
      return real_loops([](double x) { return std::ceil(x); });
    case Op::kFloor:
      return real_loops([](double x) { return std::floor(x); });
    case Op::kRound:  // halves go to the nearest even integer, in the default rounding mode
      return real_loops([](double x) { return std::nearbyint(x); });
    case Op::kSqrt:
      return real_loops([](double x) { return std::sqrt(x); });
    case Op::kReciprocal:
      return real_loops([](double x) { return 1.0 / x; });
    case Op::kExp:
      return real_loops([](double x) { return std::exp(x); });
    case Op::kLog:
      return real_loops([](double x) { return std::log(x); });
    case Op::kSin:
      return real_loops([](double x) { return std::sin(x); });
    case Op::kCos:
      return real_loops([](double x) { return std::cos(x); });
    case Op::kTan:
      return real_loops([](double x) { return std::tan(x); });
    case Op::kAsin:
      return real_loops([](double x) { return std::asin(x); });
    case Op::kAcos:
      return real_loops([](double x) { return std::acos(x); });
    case Op::kAtan:
      return real_loops([](double x) { return std::atan(x); });
    case Op::kSinh:
      return real_loops([](double x) { return std::sinh(x); });
    case Op::kCosh:
      return real_loops([](double x) { return std::cosh(x); });
    case Op::kTanh:
      return real_loops([](double x) { return std::tanh(x); });
    case Op::kAsinh:
      return real_loops([](double x) { return std::asinh(x); });
    case Op::kAcosh:
      return real_loops([](double x) { return std::acosh(x); });
    case Op::kAtanh:
      return real_loops([](double x) { return std::atanh(x); });
    case Op::kErf:
      return real_loops([](double x) { return std::erf(x); });
    case Op::kBitwiseNot:
      return {{}, unary_loop<int64_t>([](int64_t x) { return ~x; }), unary_loop<uint64_t>([](uint64_t x) {
                return ~x;
              })};
    case Op::kNot:
      return {{}, {}, unary_loop<uint64_t>([](uint64_t x) { return x == 0 ? uint64_t{1} : uint64_t{0}; })};
    case Op::kIsNaN:
      return real_loops([](double x) { return std::isnan(x) ? 1.0 : 0.0; });
    case Op::kIsInf: {
      const bool positive = node.attributes.integer("detect_positive", 1) != 0;
      const bool negative = node.attributes.integer("detect_negative", 1) != 0;
      return real_loops([positive, negative](double x) {
        return std::isinf(x) && (x > 0 ? positive : negative) ? 1.0 : 0.0;
      });
    }
    default:
      return activation_loops(node);
  }
}

Status reference_unary(KernelContext& context) {
  return map_unary(context, context.input(0).type(), unary_loops(context.node()));
}

Status reference_unary_bool(KernelContext& context) {
  return map_unary(context, DataType::kBool, unary_loops(context.node()));
}

}  // namespace tenon::ops
