#include "ops/fusion/gelu.h"

#include <gtest/gtest.h>

#include <functional>

#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

ValueId number(RowModel& m, float value) {
  return m.exactly(Tensor::scalar(value));
}

/// 1 + erf(x / divisor).
ValueId sum(RowModel& m, ValueId x, float divisor = 1.41421354f, float one = 1) {
  const ValueId scaled = m.add(Op::kDiv, {x, number(m, divisor)});
  return m.add(Op::kAdd, {m.add(Op::kErf, {scaled}), number(m, one)});
}

/// How many nodes are found to be Gelu of the model's input.
size_t found(const std::function<void(RowModel&, ValueId)>& build) {
  TypedModel model;
  RowModel m(model, false);
  const ValueId x = m.input({4, 5});
  build(m, x);
  return gelu_of(model.graph, model.graph.uses(), x).size();
}

TEST(Gelu, IsFoundWhereverTheHalfStands) {
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              m.output(m.add(Op::kMul, {m.add(Op::kMul, {x, sum(m, x)}), number(m, 0.5f)}));
            }),
            kGeluNodes);
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              const ValueId half = m.add(Op::kMul, {x, number(m, 0.5f)});
              m.output(m.add(Op::kMul, {half, sum(m, x)}));
            }),
            kGeluNodes);
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              m.output(m.add(Op::kMul, {m.add(Op::kDiv, {sum(m, x), number(m, 2)}), x}));
            }),
            kGeluNodes);
}

TEST(Gelu, IsNotFoundInOtherFormulas) {
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              m.output(m.add(Op::kMul, {m.add(Op::kMul, {x, sum(m, x)}), number(m, 0.25f)}));
            }),
            0u);
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              m.output(m.add(Op::kMul, {m.add(Op::kMul, {x, sum(m, x, 1.5f)}), number(m, 0.5f)}));
            }),
            0u);
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              m.output(m.add(Op::kMul, {m.add(Op::kMul, {x, sum(m, x, 1.41421354f, 2)}), number(m, 0.5f)}));
            }),
            0u);
}

TEST(Gelu, IsNotFoundWhereSomethingInsideIsUsedElsewhere) {
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              const ValueId inner = sum(m, x);
              m.output(inner);
              m.output(m.add(Op::kMul, {m.add(Op::kMul, {x, inner}), number(m, 0.5f)}));
            }),
            0u);
  EXPECT_EQ(found([](RowModel& m, ValueId x) {
              m.output(m.add(Op::kMul, {m.add(Op::kMul, {x, sum(m, x)}), number(m, 0.5f)}));
              m.output(m.add(Op::kRelu, {x}));
            }),
            0u);
}

}  // namespace
}  // namespace tenon::ops
