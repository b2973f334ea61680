// References of the activation functions, after their entries in ONNX's Operators.md. A NaN goes through each
// of them. Forms that do not overflow stand for the textbook's where both have the same value.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "ops/unary/unary.h"

namespace tenon::ops {

namespace {

struct Rectify {
  double operator()(double x) const { return x < 0 ? 0.0 : x; }
  int64_t operator()(int64_t x) const { return std::max<int64_t>(x, 0); }
  uint64_t operator()(uint64_t x) const { return x; }
};

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

// log(1 + exp(x))
double softplus(double x) {
  return std::isnan(x) ? x : std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

// max(0, min(1, x))
double clamp_unit(double x) {
  return x < 0 ? 0.0 : x > 1 ? 1.0 : x;
}

// y = x + bias below -lambd, x - bias above lambd, else 0; bounds and bias are real also for integers.
template <class T>
auto shrink_loop(double bias, double lambd) {
  return unary_loop<T>([bias, lambd](T value) {
    const auto x = static_cast<double>(value);
    const double y = x < -lambd ? x + bias : x > lambd ? x - bias : std::isnan(x) ? x : 0.0;
    if constexpr (std::is_same_v<T, double>)
      return y;
    else
      return y >= 0 && std::is_same_v<T, uint64_t>
                 ? static_cast<T>(std::min(y, 0x1p63))
                 : static_cast<T>(static_cast<int64_t>(std::clamp(y, -0x1p63, 0x1.fffffffffffffp62)));
  });
}

}  // namespace

UnaryLoops activation_loops(const Node& node) {
  const Attributes& attributes = node.attributes;
  const double alpha = attributes.real("alpha", 1);
  switch (node.op) {
    case Op::kRelu:
      return numeric_loops(Rectify{});
    case Op::kSigmoid:
      return real_loops(sigmoid);
    case Op::kLeakyRelu:
      return real_loops([alpha](double x) { return x < 0 ? alpha * x : x; });
    case Op::kElu:
      return real_loops([alpha](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
    case Op::kSelu: {
      const double gamma = attributes.real("gamma", 1);
      return real_loops([alpha, gamma](double x) { return gamma * (x <= 0 ? alpha * std::expm1(x) : x); });
    }
    case Op::kCelu:
      return real_loops([alpha](double x) {
        return std::isnan(x) ? x : std::max(0.0, x) + std::min(0.0, alpha * std::expm1(x / alpha));
      });
    case Op::kThresholdedRelu:
      return real_loops([alpha](double x) { return x > alpha || std::isnan(x) ? x : 0.0; });
    case Op::kHardSigmoid: {
      const double beta = attributes.real("beta", 0.5F);
      return real_loops([alpha, beta](double x) { return clamp_unit(alpha * x + beta); });
    }
    case Op::kHardSwish:
      return real_loops([](double x) { return x * clamp_unit(x / 6 + 0.5); });
    case Op::kSoftplus:
      return real_loops(softplus);
    case Op::kSoftsign:
      return real_loops([](double x) { return x / (1 + std::fabs(x)); });
    case Op::kMish:
      return real_loops([](double x) { return x * std::tanh(softplus(x)); });
    case Op::kGelu:
      if (attributes.string("approximate", "none") == "tanh") {
        const double scale = std::sqrt(2 / std::numbers::pi);
        return real_loops(
            [scale](double x) { return 0.5 * x * (1 + std::tanh(scale * (x + 0.044715 * x * x * x))); });
      }
      return real_loops([](double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); });
    case Op::kSwish:
      return real_loops([alpha](double x) { return x * sigmoid(alpha * x); });
    case Op::kShrink: {
      const double bias = attributes.real("bias", 0);
      const double lambd = attributes.real("lambd", 0.5F);
      return {shrink_loop<double>(bias, lambd), shrink_loop<int64_t>(bias, lambd),
              shrink_loop<uint64_t>(bias, lambd)};
    }
    default:
      return {};
  }
}

}  // namespace tenon::ops
