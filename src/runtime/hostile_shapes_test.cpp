// Models whose shapes promise more than there is: they end in an error, or in a result, with little memory.
#include <gtest/gtest.h>

#include <algorithm>

#include "ops/core/builder.h"
#include "runtime/session_state.h"

namespace tenon {
namespace {

Tensor zeros(const Shape& shape) {
  Tensor tensor = Tensor::allocate(DataType::kFloat32, shape);
  std::fill_n(tensor.mutable_raw(), tensor.bytes(), std::byte{0});
  return tensor;
}

class HostileShapes : public ::testing::Test {
 protected:
  ValueId input(const char* name, const Shape& shape) {
    inputs_.push_back({name, zeros(shape)});
    return model_.graph.add_input(
        name, ValueType::tensor(DataType::kFloat32, SymShape(shape.begin(), shape.end())));
  }
  ValueId ints(const std::vector<int64_t>& values) { return build_.constant(Tensor::from_ints(values)); }
  ValueId add(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return build_.add(op, std::move(inputs), std::move(attributes)).value();
  }
  /// Of opening, or else of running.
  Result<std::vector<NamedValue>> run(ValueId output) {
    model_.graph.outputs = {output};
    auto session = make_session(model_, {});
    if (!session.ok()) return session.error();
    return (*session)->run(inputs_);
  }

  TypedModel model_;
  ops::GraphBuilder build_{model_.graph};
  std::vector<NamedValue> inputs_;
};

TEST_F(HostileShapes, HeadsWithoutElements) {
  const ValueId q = input("q", {1, 5, 0}), k = input("k", {1, 3, 0}), v = input("v", {1, 3, 0});
  const int64_t heads = int64_t{1} << 58;
  const auto outputs = run(add(Op::kAttention, {q, k, v}, {{"q_num_heads", heads}, {"kv_num_heads", heads}}));
  ASSERT_TRUE(outputs.ok()) << outputs.error().to_string();
  EXPECT_EQ(outputs->at(0).value.tensor().shape(), (Shape{1, 5, 0}));
}

TEST_F(HostileShapes, ScoresWhoseCountWraps) {
  // 4096 * 67117056 * 67100673 is 2^64 + 2^25.
  const ValueId q = input("q", {1, 67117056, 1}), k = input("k", {4096, 1, 1}),
                v = input("v", {1, 1, 67100673});
  const ValueId weights = add(Op::kSoftmax, {add(Op::kMatMul, {q, k})}, {{"axis", int64_t{-1}}});
  const auto reshaped = build_.add(Op::kReshape, {add(Op::kMatMul, {weights, v}), ints({33554432})});
  ASSERT_TRUE(reshaped.ok()) << "inference has learnt to count";
  EXPECT_FALSE(run(*reshaped).ok());
}

TEST_F(HostileShapes, AnEmptyImageResizedToManyRows) {
  const ValueId x = input("x", {0, 1, 1, 1});
  const auto outputs =
      run(add(Op::kResize, {x, kNoValue, kNoValue, ints({0, 1, int64_t{1} << 40, 1})}, {{"mode", "linear"}}));
  EXPECT_TRUE(!outputs.ok() || outputs->at(0).value.tensor().size() == 0);
}

TEST_F(HostileShapes, ManyRowsThatARunAsksFor) {
  const ValueId x = input("x", {1, 1, 1, 1});
  inputs_.push_back({"sizes", Tensor::from_ints(std::vector<int64_t>{1, 1, int64_t{1} << 37, 1})});
  const ValueId sizes = model_.graph.add_input("sizes", ValueType::tensor(DataType::kInt64, SymShape{4}));
  EXPECT_FALSE(run(add(Op::kResize, {x, kNoValue, kNoValue, sizes}, {{"mode", "nearest"}})).ok());
}

TEST_F(HostileShapes, OutputsThatNoTapReachesPackNothing) {
  const ValueId x = input("x", {1, 256, 2, 2});
  const ValueId w = build_.constant(zeros({256, 256, 1, 1}));
  model_.graph.outputs = {add(Op::kConvTranspose, {x, w}, {{"strides", std::vector<int64_t>{32, 32}}})};
  const auto session = make_session(model_, {}).value();
  size_t packed = 0;
  for (const Step& step : session->state().engine->main().steps)
    for (const kernels::PackedFloats& part : step.packed) packed += part.bytes();
  EXPECT_GT(packed, 0u);
  EXPECT_LT(packed, size_t{1} << 20);
}

}  // namespace
}  // namespace tenon
