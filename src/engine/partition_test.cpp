// Graphs whose fusion has to stop somewhere, beside their references.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "ops/core/builder.h"
#include "runtime/session_state.h"

namespace tenon {
namespace {

using Ints = std::vector<int64_t>;

class Fusion : public ::testing::Test {
 protected:
  ValueId input(const char* name, const Shape& shape) {
    std::vector<float> values;
    for (int64_t i = 0; i < *element_count(shape); ++i)
      values.push_back(static_cast<float>(std::sin(static_cast<double>(i + 1) * std::numbers::phi)));
    inputs_.push_back({name, Tensor::from<float>(DataType::kFloat32, shape, values)});
    return model_.graph.add_input(
        name, ValueType::tensor(DataType::kFloat32, SymShape(shape.begin(), shape.end())));
  }
  ValueId constant(const Shape& shape) {
    std::vector<float> values(static_cast<size_t>(*element_count(shape)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 5) - 1.5f;
    return build_.constant(Tensor::from<float>(DataType::kFloat32, shape, values));
  }
  ValueId ints(const Ints& values) {
    return build_.constant(
        Tensor::from<int64_t>(DataType::kInt64, {static_cast<int64_t>(values.size())}, values));
  }
  ValueId add(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return build_.add(op, std::move(inputs), std::move(attributes)).value();
  }

  /// Runs both, and the values of the graph's outputs are near each other.
  void check(std::vector<ValueId> outputs, std::vector<std::string> disabled = {}) {
    model_.graph.outputs = std::move(outputs);
    SessionOptions options;
    options.disabled_passes = std::move(disabled);
    const auto session = make_session(model_, options).value();
    options.references_only = true;
    const auto expected = make_session(model_, options).value()->run(inputs_).value();
    const auto got = session->run(inputs_).value();
    for (size_t i = 0; i < got.size(); ++i) {
      const Tensor &x = got[i].value.tensor(), &y = expected[i].value.tensor();
      ASSERT_EQ(x.shape(), y.shape());
      for (int64_t k = 0; k < x.size(); ++k)
        ASSERT_NEAR(x.data<float>()[k], y.data<float>()[k], 1e-5) << "output " << i << " element " << k;
    }
  }

  TypedModel model_;
  ops::GraphBuilder build_{model_.graph};
  std::vector<NamedValue> inputs_;
};

TEST_F(Fusion, OfRepeatedImagesThatFillNoBlocks) {
  for (int64_t channels : {3, 7, 9, 15, 24}) {
    model_ = {};
    inputs_.clear();
    const ValueId x = input("x", {2, channels, 4, 5});
    const ValueId all = add(Op::kConcat, {x, x}, {{"axis", 1}});
    check({add(Op::kConv, {all, constant({6, 2 * channels, 1, 1})})});
  }
}

TEST_F(Fusion, OfAProductWhoseTailReadsItsView) {
  const ValueId x = input("x", {6, 4}), z = input("z", {6, 6});
  const ValueId t = add(Op::kTranspose, {x});
  const ValueId y = add(Op::kAdd, {add(Op::kMatMul, {t, z}), t});
  check({y, add(Op::kMatMul, {y, z})});
}

TEST_F(Fusion, OfScaledOperandsThatTheTailReads) {
  const ValueId x = input("x", {5, 5}), y = input("y", {5, 5});
  const ValueId a = add(Op::kMul, {x, build_.constant(Tensor::scalar(0.5f))});
  const ValueId b = add(Op::kMul, {build_.constant(Tensor::scalar(-3.0f)), y});
  check({add(Op::kAdd, {add(Op::kMatMul, {a, b}), a}), b});
}

TEST_F(Fusion, OfProductsWithoutBatches) {
  const ValueId y = input("y", {2, 3, 4}), a = input("a", {5, 3});
  const auto parts = build_.add_node(Op::kSplit, {y, ints({0, 2})}, {{"axis", 0}}, {"none", "all"}).value();
  check({add(Op::kMatMul, {a, parts[0]}), add(Op::kMatMul, {a, parts[1]})});
}

TEST_F(Fusion, OfViewsOfConstants) {
  const ValueId x = input("x", {3, 4}), w = constant({6, 4});
  const ValueId columns = add(Op::kTranspose, {w}, {{"perm", Ints{1, 0}}});
  const auto halves =
      build_.add_node(Op::kSplit, {constant({4, 6}), ints({2, 4})}, {{"axis", 1}}, {"l", "r"}).value();
  check({add(Op::kMatMul, {x, columns}), add(Op::kMatMul, {x, halves[1]})}, {"all"});
}

TEST_F(Fusion, OfALongTailIsCut) {
  ValueId y = add(Op::kConv, {input("x", {1, 3, 4, 4}), constant({5, 3, 3, 3})});
  for (int i = 0; i < 700; ++i) y = add(i % 2 == 0 ? Op::kRelu : Op::kHardSwish, {y});
  check({y}, {"all"});
}

TEST(Partition, RefusesPartsThatLieOutsideWhatIsSplit) {
  TypedModel model;
  ops::GraphBuilder build(model.graph);
  const ValueId x = model.graph.add_input("x", ValueType::tensor(DataType::kFloat32, SymShape{8, 4, 4}));
  const ValueId lengths =
      build.constant(Tensor::from<int64_t>(DataType::kInt64, {2}, std::vector<int64_t>{-5, 13}));
  const auto parts = build.add_node(Op::kSplit, {x, lengths}, {{"axis", 0}}, {"a", "b"});
  EXPECT_FALSE(parts.ok());
}

}  // namespace
}  // namespace tenon
