// The bounds of rounding: against hand-worked values, and against float32 sums in many orders.
#include "align/rounding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace tenon::alignment {
namespace {

Tensor doubles(Shape shape, const std::vector<double>& values) {
  return Tensor::from<double>(DataType::kFloat64, std::move(shape), values);
}

struct Bounds {
  std::vector<double> exact, bound;
};

Bounds bounds_of(Op op, Attributes attributes, const std::vector<Value>& inputs, Bound kind,
                 DataType type = DataType::kFloat32) {
  Node node;
  node.op = op;
  node.attributes = std::move(attributes);
  std::vector<const Value*> pointers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    node.inputs.push_back(ValueId{static_cast<uint32_t>(i)});
    pointers.push_back(&inputs[i]);
  }
  node.outputs = {ValueId{100}};
  auto outputs = ops::evaluate_node(node, pointers).value();
  const std::vector<DataType> types = {type};
  auto bounds = rounding_bounds(node, pointers, outputs, types, kind).value();
  Bounds result;
  for (double y : outputs[0].tensor().span<double>()) result.exact.push_back(y);
  if (bounds[0].defined())
    for (double b : bounds[0].span<double>()) result.bound.push_back(b);
  return result;
}

TEST(Rounding, UnitRoundoffIsHalfTheDistanceToTheNextNumber) {
  EXPECT_EQ(unit_roundoff(DataType::kFloat32), std::ldexp(1.0, -24));
  EXPECT_EQ(1.0f + 0x1.0p-23f, std::nextafter(1.0f, 2.0f));
  EXPECT_EQ(unit_roundoff(DataType::kFloat16), std::ldexp(1.0, -11));
  EXPECT_EQ(unit_roundoff(DataType::kInt64), 0);
}

TEST(Rounding, OfAProductByHand) {
  // [1, -2, 3] . [4, 5, 6] = 12, and sum |w x| = 32, with n = 3.
  const std::vector<Value> inputs = {doubles({1, 3}, {1, -2, 3}), doubles({3, 1}, {4, 5, 6})};
  const double u = 0x1p-24;
  Bounds certain = bounds_of(Op::kMatMul, {}, inputs, Bound::kCertain);
  EXPECT_EQ(certain.exact[0], 12);
  EXPECT_NEAR(certain.bound[0], 7 * u * 32 + u * 12, 1e-12);
  Bounds probable = bounds_of(Op::kMatMul, {}, inputs, Bound::kProbable);
  EXPECT_NEAR(probable.bound[0], (std::sqrt(3.0) + 4) * u * std::sqrt(16 + 100 + 324) + u * 12, 1e-12);
}

TEST(Rounding, BatchNormalizationCountsWhatItsMeanCancels) {
  // (1000.5 - 1000) * 2 / 1 + 0: the subtraction itself is exact, but its operands have errors of their size.
  const std::vector<Value> inputs = {doubles({1, 1}, {1000.5}), doubles({1}, {2}), doubles({1}, {0}),
                                     doubles({1}, {1000}), doubles({1}, {1})};
  Bounds bounds = bounds_of(Op::kBatchNormalization,
                            {{"epsilon", 0.0f}, {"momentum", 0.9f}, {"training_mode", int64_t{0}}}, inputs,
                            Bound::kCertain);
  EXPECT_EQ(bounds.exact[0], 1);
  EXPECT_GT(bounds.bound[0], 4001 * 0x1p-24);
}

TEST(Rounding, IntegersDoNotRound) {
  EXPECT_TRUE(bounds_of(Op::kArgMax,
                        {{"axis", int64_t{0}}, {"keepdims", int64_t{0}}, {"select_last_index", int64_t{0}}},
                        {doubles({3}, {1, 2, 3})}, Bound::kCertain, DataType::kInt64)
                  .bound.empty());
}

// Sums of products in float32, forwards, backwards, shuffled and by pairs: none is beyond the certain bound,
// and hardly any beyond four times the probable one, which is what a floor is made of.
TEST(Rounding, HoldsForEveryOrderOfSummation) {
  std::mt19937 random(5);
  int beyond = 0, sums = 0;
  for (int n : {1, 2, 7, 64, 1000}) {
    for (int round = 0; round < 40; ++round) {
      std::normal_distribution<float> spread(round % 2 == 0 ? 0.0f : 1.0f, 1.0f);
      std::vector<double> x(static_cast<size_t>(n)), w(x.size());
      for (size_t i = 0; i < x.size(); ++i) {
        x[i] = spread(random);
        w[i] = spread(random);
      }
      const std::vector<Value> inputs = {doubles({1, n}, x), doubles({n, 1}, w)};
      Bounds certain = bounds_of(Op::kMatMul, {}, inputs, Bound::kCertain);
      Bounds probable = bounds_of(Op::kMatMul, {}, inputs, Bound::kProbable);
      std::vector<float> terms;
      for (size_t i = 0; i < x.size(); ++i)
        terms.push_back(static_cast<float>(x[i]) * static_cast<float>(w[i]));
      auto check = [&](float sum) {
        const double error = std::fabs(static_cast<double>(sum) - certain.exact[0]);
        EXPECT_LE(error, certain.bound[0]);
        beyond += error > 4 * probable.bound[0];
        ++sums;
      };
      for (int order = 0; order < 4; ++order) {
        float sum = 0;
        for (float term : terms) sum += term;
        check(sum);
        std::shuffle(terms.begin(), terms.end(), random);
      }
      while (terms.size() > 1) {
        std::vector<float> pairs;
        for (size_t i = 0; i < terms.size(); i += 2)
          pairs.push_back(i + 1 < terms.size() ? terms[i] + terms[i + 1] : terms[i]);
        terms = pairs;
      }
      check(terms[0]);
    }
  }
  EXPECT_LT(beyond, sums / 1000 + 1);
}

}  // namespace
}  // namespace tenon::alignment
