// References of the binary and variadic operators, after their entries in ONNX's Operators.md. Integers wrap
// in two's complement; what ONNX leaves undefined has a value all the same: an integer divided by zero is 0,
// and its remainder too, as in numpy.
#include <cmath>

#include "ops/binary/binary.h"

namespace tenon::ops {

namespace {

// Signed integers wrap as unsigned ones do.
template <class T, class F>
T wrapping(T a, T b, F f) {
  if constexpr (std::is_same_v<T, int64_t>)
    return static_cast<int64_t>(f(static_cast<uint64_t>(a), static_cast<uint64_t>(b)));
  else
    return f(a, b);
}

struct Plus {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping(a, b, [](auto x, auto y) { return x + y; });
  }
};
struct Minus {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping(a, b, [](auto x, auto y) { return x - y; });
  }
};
struct Times {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping(a, b, [](auto x, auto y) { return x * y; });
  }
};
struct Quotient {
  double operator()(double a, double b) const { return a / b; }
  uint64_t operator()(uint64_t a, uint64_t b) const { return b == 0 ? 0 : a / b; }
  int64_t operator()(int64_t a, int64_t b) const {
    if (b == -1) return Minus{}(int64_t{0}, a);
    return b == 0 ? 0 : a / b;
  }
};

// A - floor(A / B) * B: the sign of B.
struct FloorRemainder {
  double operator()(double a, double b) const {
    double r = std::fmod(a, b);
    if (r == 0) return std::copysign(0.0, b);
    return (r < 0) != (b < 0) && !std::isnan(r) ? r + b : r;
  }
  uint64_t operator()(uint64_t a, uint64_t b) const { return b == 0 ? 0 : a % b; }
  int64_t operator()(int64_t a, int64_t b) const {
    if (b == 0 || b == -1) return 0;
    const int64_t r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
};
// A - trunc(A / B) * B: the sign of A.
struct TruncatedRemainder {
  double operator()(double a, double b) const { return std::fmod(a, b); }
  uint64_t operator()(uint64_t a, uint64_t b) const { return b == 0 ? 0 : a % b; }
  int64_t operator()(int64_t a, int64_t b) const { return b == 0 || b == -1 ? 0 : a % b; }
};

// A NaN on either side wins, as in numpy.
struct Smaller {
  double operator()(double a, double b) const { return std::isnan(a) || a < b ? a : b; }
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};
struct Larger {
  double operator()(double a, double b) const { return std::isnan(a) || a > b ? a : b; }
  template <class T>
  T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

struct Rectify {
  template <class T>
  T operator()(T x, T slope) const {
    return x < T(0) ? Times{}(x, slope) : x;
  }
};

template <class F>
BinaryLoops integer_loops(F f) {
  return {{}, binary_loop<int64_t>(f), binary_loop<uint64_t>(f)};
}
template <class F>
BinaryLoops logic_loops(F f) {
  return {{}, {}, binary_loop<uint64_t>([f](uint64_t a, uint64_t b) {
            return f(a != 0, b != 0) ? uint64_t{1} : uint64_t{0};
          })};
}
template <class F>
BinaryLoops comparison_loops(F f) {
  return numeric_binary_loops([f](auto a, auto b) { return static_cast<decltype(a)>(f(a, b) ? 1 : 0); });
}

// Bits beyond the width vanish on the way out; a shift by the width or more, or by a negative amount, gives
// what the sign extension alone does.
BinaryLoops shift_loops(const Node& node, int width) {
  const bool left = node.attributes.string("direction") == "LEFT";
  BinaryLoops loops;
  loops.as_unsigned = binary_loop<uint64_t>([left, width](uint64_t x, uint64_t by) -> uint64_t {
    if (by >= static_cast<uint64_t>(width)) return 0;
    return left ? x << by : x >> by;
  });
  loops.as_signed = binary_loop<int64_t>([left, width](int64_t x, int64_t by) -> int64_t {
    if (by < 0 || by >= width) return !left && x < 0 ? -1 : 0;
    return left ? static_cast<int64_t>(static_cast<uint64_t>(x) << by) : x >> by;
  });
  return loops;
}

BinaryLoops binary_loops(const Node& node, DataType type) {
  switch (node.op) {
    case Op::kAdd:
      return numeric_binary_loops(Plus{});
    case Op::kSub:
      return numeric_binary_loops(Minus{});
    case Op::kMul:
      return numeric_binary_loops(Times{});
    case Op::kDiv:
      return numeric_binary_loops(Quotient{});
    case Op::kMod:
      return node.attributes.integer("fmod", 0) != 0 ? numeric_binary_loops(TruncatedRemainder{})
                                                     : numeric_binary_loops(FloorRemainder{});
    case Op::kPRelu:
      return numeric_binary_loops(Rectify{});
    case Op::kAnd:
      return logic_loops([](bool a, bool b) { return a && b; });
    case Op::kOr:
      return logic_loops([](bool a, bool b) { return a || b; });
    case Op::kXor:
      return logic_loops([](bool a, bool b) { return a != b; });
    case Op::kBitwiseAnd:
      return integer_loops([](auto a, auto b) { return a & b; });
    case Op::kBitwiseOr:
      return integer_loops([](auto a, auto b) { return a | b; });
    case Op::kBitwiseXor:
      return integer_loops([](auto a, auto b) { return a ^ b; });
    case Op::kBitShift:
      return shift_loops(node, element_bits(type));
    case Op::kLess:
      return comparison_loops([](auto a, auto b) { return a < b; });
    case Op::kLessOrEqual:
      return comparison_loops([](auto a, auto b) { return a <= b; });
    case Op::kGreater:
      return comparison_loops([](auto a, auto b) { return a > b; });
    case Op::kGreaterOrEqual:
      return comparison_loops([](auto a, auto b) { return a >= b; });
    case Op::kEqual:
      return comparison_loops([](auto a, auto b) { return a == b; });
    default:
      return {};
  }
}

Status compare_strings(KernelContext& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const BroadcastPlan plan = TENON_TRY(BroadcastPlan::make({a.shape(), b.shape()}));
  auto expand = [&](size_t input, const Tensor& tensor) {
    std::vector<const std::string*> all(static_cast<size_t>(plan.size()));
    plan.for_runs(input, 0, plan.size(), [&](int64_t position, int64_t offset, int64_t length, int64_t step) {
      for (int64_t i = 0; i < length; ++i)
        all[static_cast<size_t>(position + i)] = &tensor.strings()[static_cast<size_t>(offset + i * step)];
    });
    return all;
  };
  const auto left = expand(0, a);
  const auto right = expand(1, b);
  Tensor& output = context.output(0, DataType::kBool, plan.shape());
  for (size_t i = 0; i < left.size(); ++i) output.mutable_data<bool>()[i] = *left[i] == *right[i];
  return {};
}

// x to the power of a whole number, wrapping; negative powers of integers round toward zero.
int64_t integer_power(int64_t x, int64_t exponent) {
  if (exponent < 0) return x == 1 ? 1 : x == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1;
  auto base = static_cast<uint64_t>(x);
  for (auto e = static_cast<uint64_t>(exponent); e != 0; e >>= 1) {
    if (e & 1) result *= base;
    base *= base;
  }
  return static_cast<int64_t>(result);
}

}  // namespace

Status reference_binary(KernelContext& context) {
  const DataType type = context.input(0).type();
  if (context.node().op == Op::kPRelu) {
    const BroadcastPlan plan =
        TENON_TRY(BroadcastPlan::make({context.input(0).shape(), context.input(1).shape()}));
    if (plan.shape() != context.input(0).shape())
      return fail(ErrorCode::kMismatch, "slope {} does not broadcast to {}",
                  to_string(context.input(1).shape()), to_string(context.input(0).shape()));
  }
  return map_binary(context, type, compute_kind(type), binary_loops(context.node(), type));
}

Status reference_comparison(KernelContext& context) {
  const DataType type = context.input(0).type();
  if (type == DataType::kString) return compare_strings(context);
  return map_binary(context, DataType::kBool, compute_kind(type), binary_loops(context.node(), type));
}

Status reference_variadic(KernelContext& context) {
  if (context.input_count() == 0)
    return fail(ErrorCode::kInvalidModel, "{} needs at least one input", op_name(context.node().op));
  switch (context.node().op) {
    case Op::kMin:
      return map_variadic(context, numeric_binary_loops(Smaller{}));
    case Op::kMax:
      return map_variadic(context, numeric_binary_loops(Larger{}));
    case Op::kSum:
      return map_variadic(context, numeric_binary_loops(Plus{}));
    default: {
      const auto count = static_cast<double>(context.input_count());
      return map_variadic(context, numeric_binary_loops(Plus{}),
                          real_loops([count](double sum) { return sum / count; }));
    }
  }
}

Status reference_pow(KernelContext& context) {
  const DataType type = context.input(0).type();
  BinaryLoops loops;
  loops.real = binary_loop<double>([](double x, double y) { return std::pow(x, y); });
  loops.as_signed = binary_loop<int64_t>(integer_power);
  const bool integers = is_integer(type) && is_integer(context.input(1).type());
  return map_binary(context, type, integers ? ComputeKind::kSigned : ComputeKind::kFloat, loops);
}

}  // namespace tenon::ops
