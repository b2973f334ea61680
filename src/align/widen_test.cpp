#include "align/widen.h"

#include <gtest/gtest.h>

#include "ops/core/builder.h"
#include "ops/core/evaluate.h"
#include "tensor/element.h"

namespace tenon::alignment {
namespace {

TEST(Widen, ComputesInFloat64WhatTheModelMeans) {
  // (x + 1e-8) - x is 0 in float32, 1e-8 in float64 (as far as the constant of float32 has it).
  Graph graph;
  ops::GraphBuilder builder(graph);
  ValueId x = graph.add_input("x", ValueType::tensor(DataType::kFloat32, SymShape{1}));
  ValueId small = builder.constant(Tensor::scalar(1e-8f), "small");
  ValueId sum = builder.add(Op::kAdd, {x, small}, {}, "sum").value();
  graph.outputs = {builder.add(Op::kSub, {sum, x}, {}, "y").value()};
  WideGraph wide = widen(graph).value();
  const Value one = Tensor::from<float>(DataType::kFloat32, {1}, std::vector<float>{1});
  EXPECT_EQ(to_doubles(ops::evaluate(graph, {&one}).value()[0].tensor())[0], 0);
  const Value wide_one = widened(one);
  const Value y = ops::evaluate(wide.graph, {&wide_one}).value()[0];
  EXPECT_EQ(y.tensor().type(), DataType::kFloat64);
  EXPECT_NEAR(y.tensor().data<double>()[0], 1e-8, 1e-15);
  EXPECT_EQ(wide.graph.value(wide.graph.outputs[0]).name, "y");
  EXPECT_EQ(wide.first, (std::vector<size_t>{0, 1, 2}));
}

TEST(Widen, ACastToHalfPrecisionBecomesTheIdentity) {
  Graph graph;
  ops::GraphBuilder builder(graph);
  ValueId x = graph.add_input("x", ValueType::tensor(DataType::kFloat32, SymShape{1}));
  ValueId half =
      builder.add(Op::kCast, {x}, {{"to", static_cast<int64_t>(DataType::kFloat16)}}, "half").value();
  ValueId sign =
      builder.add(Op::kCast, {half}, {{"to", static_cast<int64_t>(DataType::kInt32)}}, "int").value();
  graph.outputs = {half, sign};
  WideGraph wide = widen(graph).value();
  const Value x_value = Tensor::from<double>(DataType::kFloat64, {1}, std::vector<double>{100000.125});
  const auto outputs = ops::evaluate(wide.graph, {&x_value}).value();
  EXPECT_EQ(outputs[0].tensor().data<double>()[0], 100000.125);
  EXPECT_EQ(outputs[1].tensor().data<int32_t>()[0], 100000);
}

TEST(Widen, WhatOnnxHasInFloat32OnlyIsCast) {
  // The scales of Resize are float32 in every version.
  Graph graph;
  ops::GraphBuilder builder(graph);
  ValueId x = graph.add_input("x", ValueType::tensor(DataType::kFloat32, SymShape{1, 1, 2, 2}));
  ValueId scales = graph.add_input("scales", ValueType::tensor(DataType::kFloat32, SymShape{4}));
  ValueId y =
      builder.add(Op::kResize, {x, kNoValue, scales}, {{"mode", std::string("nearest")}}, "y").value();
  graph.outputs = {y};
  WideGraph wide = widen(graph).value();
  EXPECT_EQ(wide.first.back(), 2u);  // the Cast and the Resize
  const Value x_value =
      Tensor::from<double>(DataType::kFloat64, {1, 1, 2, 2}, std::vector<double>{1, 2, 3, 4});
  const Value scale_value = Tensor::from<double>(DataType::kFloat64, {4}, std::vector<double>{1, 1, 2, 2});
  const auto outputs = ops::evaluate(wide.graph, {&x_value, &scale_value}).value();
  EXPECT_EQ(outputs[0].tensor().type(), DataType::kFloat64);
  EXPECT_EQ(outputs[0].tensor().shape(), (Shape{1, 1, 4, 4}));
}

TEST(Widen, BitsKeepTheirType) {
  Graph graph;
  ops::GraphBuilder builder(graph);
  ValueId x = graph.add_input("x", ValueType::tensor(DataType::kFloat32, SymShape{1}));
  ValueId bits =
      builder.add(Op::kBitCast, {x}, {{"to", static_cast<int64_t>(DataType::kInt32)}}, "bits").value();
  ValueId back =
      builder.add(Op::kBitCast, {bits}, {{"to", static_cast<int64_t>(DataType::kFloat32)}}, "back").value();
  graph.outputs = {bits, back};
  WideGraph wide = widen(graph).value();
  const Value one = Tensor::from<double>(DataType::kFloat64, {1}, std::vector<double>{1});
  const auto outputs = ops::evaluate(wide.graph, {&one}).value();
  EXPECT_EQ(outputs[0].tensor().data<int32_t>()[0], 0x3f800000);
  EXPECT_EQ(outputs[1].tensor().data<double>()[0], 1);
}

TEST(Widen, ValuesGoThereAndBack) {
  const Value half = Tensor::from<uint16_t>(DataType::kFloat16, {2}, std::vector<uint16_t>{0x3c00, 0xc000});
  const Value wide = widened(half);
  EXPECT_EQ(to_doubles(wide.tensor()), (std::vector<double>{1, -2}));
  EXPECT_EQ(narrowed(wide, DataType::kFloat16).tensor().data<uint16_t>()[1], 0xc000);
  const Value integers = Tensor::from_ints(std::vector<int64_t>{1, 2});
  EXPECT_EQ(widened(integers).tensor().type(), DataType::kInt64);
}

}  // namespace
}  // namespace tenon::alignment
