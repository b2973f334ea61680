// Every function over the whole range of float32, against double precision, on every instruction set that
// this machine has.
#include "kernels/math/unary.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace tenon::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Some million floats spread over all bit patterns, and the special ones.
std::vector<float> all_ranges() {
  std::vector<float> values = {0.0f,    -0.0f,   1.0f,    -1.0f, 88.7f,     88.73f,    -87.3f,
                               -88.0f,  -103.9f, -104.0f, 104.f, 105.0f,    -105.0f,   -200.0f,
                               1000.0f, -3.0f,   3.0f,    6.0f,  kInfinity, -kInfinity};
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4099) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (!std::isnan(value)) values.push_back(value);
  }
  return values;
}

double exact(Unary kind, double x, double a, double b) {
  switch (kind) {
    case Unary::kClamp:
      return std::min(std::max(x, a), b);
    case Unary::kLeakyRelu:
      return x < 0 ? a * x : x;
    case Unary::kHardSigmoid:
      return std::clamp(a * x + b, 0.0, 1.0);
    case Unary::kHardSwish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case Unary::kExp:
      return std::exp(x);
    case Unary::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Unary::kSilu:
      return x / (1 + std::exp(-x));
    case Unary::kTanh:
      return std::tanh(x);
    case Unary::kErf:
      return std::erf(x);
    case Unary::kGelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case Unary::kAdd:
      return x + a;
    case Unary::kMultiply:
      return x * a;
    case Unary::kDivide:
      return x / a;
  }
  return 0;
}

/// Units in the last place of `near`, as a distance; below the least normal number, that number.
double ulp(double near) {
  const double least = std::numeric_limits<float>::min();
  int exponent = 0;
  std::frexp(std::max(std::fabs(near), least), &exponent);
  return std::ldexp(1.0, exponent - 24);
}

struct Case {
  Unary kind;
  float a, b;
  double ulps, absolute;
};
// The accuracies that unary.h states.
constexpr Case kCases[] = {
    {Unary::kClamp, 0, kInfinity, 0, 0},
    {Unary::kClamp, -1, 6, 0, 0},
    {Unary::kLeakyRelu, 0.01f, 0, 0.5, 0},
    {Unary::kHardSigmoid, 0.2f, 0.5f, 1, 1e-7},
    {Unary::kHardSwish, 0, 0, 3, 1e-6},
    {Unary::kExp, 0, 0, 1, 0},
    {Unary::kSigmoid, 0, 0, 3, 0},
    {Unary::kSilu, 0, 0, 4, 3e-37},
    {Unary::kTanh, 0, 0, 5, 0},
    {Unary::kErf, 0, 0, 2, 0},
    {Unary::kGelu, 0, 0, 7, 0},
    {Unary::kAdd, 1, 0, 0.5, 0},
    {Unary::kMultiply, 0.5f, 0, 0.5, 0},
    {Unary::kDivide, 1.41421354f, 0, 0.5, 0},
};

TEST(Unary, IsAsAccurateAsItSaysOverAllOfFloat32) {
  const std::vector<float> x = all_ranges();
  const double least_normal = std::numeric_limits<float>::min();
  std::vector<float> y(x.size());
  for (int isa = 0; isa <= static_cast<int>(available_isa()); ++isa) {
    for (const Case& c : kCases) {
      unary_function(static_cast<Isa>(isa),
                     c.kind)({x.data(), y.data(), static_cast<int64_t>(x.size()), c.a, c.b});
      int wrong = 0;
      for (size_t i = 0; i < x.size() && wrong < 5; ++i) {
        double want = exact(c.kind, x[i], c.a, c.b);
        if (std::isinf(x[i]) && std::isnan(want)) continue;  // infinity times zero
        if (std::fabs(want) > std::numeric_limits<float>::max()) want = want > 0 ? kInfinity : -kInfinity;
        if (static_cast<double>(y[i]) == want) continue;
        const double error = std::fabs(static_cast<double>(y[i]) - want);
        // Results below the least normal number may become zero.
        const double magnitude = std::fabs(want) < 2 * least_normal ? 2 * least_normal : 0;
        if (error <= c.ulps * ulp(want) + c.absolute + magnitude) continue;
        ++wrong;
        ADD_FAILURE() << "isa " << isa << ", function " << static_cast<int>(c.kind) << " of " << x[i]
                      << " is " << y[i] << ", not " << want;
      }
    }
  }
}

TEST(Unary, HandsNaNOn) {
  const std::vector<float> x(19, std::numeric_limits<float>::quiet_NaN());
  std::vector<float> y(x.size());
  for (int isa = 0; isa <= static_cast<int>(available_isa()); ++isa)
    for (const Case& c : kCases) {
      unary_function(static_cast<Isa>(isa),
                     c.kind)({x.data(), y.data(), static_cast<int64_t>(x.size()), c.a, c.b});
      for (float value : y)
        EXPECT_TRUE(std::isnan(value)) << "isa " << isa << ", function " << static_cast<int>(c.kind) << ": "
                                       << value << " for clamp " << c.a << ", " << c.b;
    }
}

}  // namespace
}  // namespace tenon::kernels
