#include "ops/fusion/layer_norm.h"

#include <gtest/gtest.h>

#include <functional>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

ValueId mean(RowModel& m, ValueId x, const std::vector<int64_t>& axes = {-1}) {
  return m.add(Op::kReduceMean, {x, m.exactly(Tensor::from_ints(axes))});
}
ValueId number(RowModel& m, float value) {
  return m.exactly(Tensor::scalar(value));
}

/// How many nodes are found to be a LayerNormalization of the model's input.
size_t found(const std::function<ValueId(RowModel&, ValueId)>& build) {
  TypedModel model;
  RowModel m(model, false);
  m.output(build(m, m.input({4, 5, 6})));
  return layer_norm_at(model.graph, model.graph.uses(), 0).size();
}

ValueId printed(RowModel& m, ValueId x, float exponent = 2, const std::vector<int64_t>& second_axes = {-1}) {
  const ValueId d = m.add(Op::kSub, {x, mean(m, x)});
  const ValueId variance = mean(m, m.add(Op::kPow, {d, number(m, exponent)}), second_axes);
  return m.add(Op::kDiv, {d, m.add(Op::kSqrt, {m.add(Op::kAdd, {variance, number(m, 1e-5f)})})});
}

TEST(LayerNorm, IsFoundWithAndWithoutScaleAndBias) {
  EXPECT_EQ(found([](RowModel& m, ValueId x) { return printed(m, x); }), 7u);
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              const ValueId scaled = m.add(Op::kMul, {printed(m, x), m.constant({6})});
              return m.add(Op::kAdd, {m.constant({6}), scaled});
            }),
            9u);
  // What follows is no part of it.
  EXPECT_EQ(
      found([](RowModel& m, ValueId x) { return m.add(Op::kMul, {printed(m, x), m.constant({5, 1})}); }), 7u);
}

TEST(LayerNorm, IsFoundWithProductsInPlaceOfPowersAndDivisions) {
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              const std::vector<int64_t> axes = {2, 1};
              const ValueId d = m.add(Op::kSub, {x, mean(m, x, axes)});
              const ValueId variance = mean(m, m.add(Op::kMul, {d, d}), axes);
              const ValueId root = m.add(Op::kSqrt, {m.add(Op::kAdd, {number(m, 0.1f), variance})});
              return m.add(Op::kMul, {m.add(Op::kReciprocal, {root}), d});
            }),
            8u);
}

TEST(LayerNorm, IsNotFoundInOtherFormulas) {
  EXPECT_EQ(found([](RowModel& m, ValueId x) { return printed(m, x, 3); }), 0u);
  EXPECT_EQ(found([](RowModel& m, ValueId x) { return printed(m, x, 2, {1}); }), 0u);
  // The variance is wanted outside.
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              const ValueId d = m.add(Op::kSub, {x, mean(m, x)});
              const ValueId variance = mean(m, m.add(Op::kMul, {d, d}));
              m.output(variance);
              return m.add(Op::kDiv, {d, m.add(Op::kSqrt, {m.add(Op::kAdd, {variance, number(m, 1e-5f)})})});
            }),
            0u);
}

/// The whole as one step, on inputs with a variance of about 4/3.
const RowCases kCases(Op::kReduceMean,
                      {{"layer_norm", [](RowModel& m) {
                          const ValueId x = m.add(Op::kMul, {m.input({3, 7, 40}), number(m, 2)});
                          const ValueId scale = m.constant({40}), bias = m.constant({1, 40});
                          // On absolute values the mean is added and nothing divides.
                          const ValueId y = m.absolute() ? m.add(Op::kAdd, {x, mean(m, x)}) : printed(m, x);
                          m.output(m.add(Op::kAdd, {m.add(Op::kMul, {y, scale}), bias}));
                        }}});

}  // namespace
}  // namespace tenon::ops
