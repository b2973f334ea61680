// Layers over channels last in front of a Transpose to channels first, and graphs that are nearly that.
#include <algorithm>

#include "passes/pipeline.h"
#include "runtime/beside_references.h"

namespace tenon {
namespace {

using Ints = std::vector<int64_t>;

class ChannelsFirst : public BesideReferences {
 protected:
  ValueId to_last(ValueId x) { return add(Op::kTranspose, {x}, {{"perm", Ints{0, 2, 3, 1}}}); }
  ValueId to_first(ValueId x) { return add(Op::kTranspose, {x}, {{"perm", Ints{0, 3, 1, 2}}}); }
  /// Numbers small enough that sums stay near 1.
  ValueId weights(const Shape& shape) {
    return add(Op::kMul, {constant(shape), build_.constant(Tensor::scalar(0.05f))});
  }
  ValueId layer_norm(ValueId x, int64_t channels) {
    return add(Op::kLayerNormalization, {x, constant({channels}), constant({channels})}, {{"axis", -1}});
  }
  ValueId linear(ValueId x, int64_t from, int64_t to) {
    return add(Op::kAdd, {add(Op::kMatMul, {x, weights({from, to})}), constant({to})});
  }

  /// How many nodes of the operator are left before the engine runs the graph.
  int64_t left(Op op) const {
    TypedModel copy = model_;
    passes::Options options;
    options.for_engine = true;
    EXPECT_TRUE(passes::run_pipeline(copy, options).ok());
    return std::ranges::count(copy.graph.nodes, op, &Node::op);
  }
};

TEST_F(ChannelsFirst, BlockOfConvNeXt) {
  const ValueId x = input("x", {2, 24, 7, 9});
  ValueId y = layer_norm(to_last(x), 24);
  y = linear(y, 24, 96);
  // GELU, in parts
  const ValueId inner = add(Op::kDiv, {y, build_.constant(Tensor::scalar(1.41421354f))});
  const ValueId erf = add(Op::kAdd, {add(Op::kErf, {inner}), build_.constant(Tensor::scalar(1.0f))});
  y = add(Op::kMul, {add(Op::kMul, {y, erf}), build_.constant(Tensor::scalar(0.5f))});
  // the matrix as PyTorch keeps it
  const ValueId turned = add(Op::kTranspose, {weights({24, 96})}, {{"perm", Ints{1, 0}}});
  y = add(Op::kAdd, {constant({24}), add(Op::kMatMul, {y, turned})});
  y = add(Op::kMul, {weights({24, 1, 1}), to_first(y)});
  check({add(Op::kAdd, {y, x})});
  EXPECT_EQ(left(Op::kMatMul), 0);
  EXPECT_EQ(left(Op::kConv), 2);
  EXPECT_EQ(left(Op::kTranspose), 2);  // around the LayerNormalization
}

TEST_F(ChannelsFirst, WithoutNormalisationNoTransposeIsLeft) {
  const ValueId x = to_last(input("x", {1, 20, 5, 6}));
  check({to_first(add(Op::kSigmoid, {linear(x, 20, 33)}))});
  EXPECT_EQ(left(Op::kTranspose), 0);
  EXPECT_EQ(left(Op::kConv), 1);
}

TEST_F(ChannelsFirst, SumsAndQuotientsInBothOrders) {
  const ValueId x = to_last(input("x", {2, 16, 4, 3}));
  ValueId y = add(Op::kMatMul, {x, weights({16, 16})});
  y = add(Op::kAdd, {y, x});  // the boundary is read twice
  y = add(Op::kSub, {constant({1, 1, 1, 16}), y});
  y = add(Op::kDiv,
          {build_.constant(Tensor::scalar(2.0f)), add(Op::kAdd, {add(Op::kMul, {y, y}), weights({1})})});
  y = add(Op::kDiv, {y, build_.constant(Tensor::scalar(100.0f))});
  check({to_first(y)});
  EXPECT_EQ(left(Op::kMatMul), 0);
}

TEST_F(ChannelsFirst, ValuesThatOthersReadStay) {
  const ValueId x = to_last(input("x", {1, 16, 4, 4}));
  const ValueId y = linear(x, 16, 32);
  check({to_first(y), add(Op::kRelu, {y})});
  EXPECT_EQ(left(Op::kMatMul), 1);
  model_.graph.outputs = {y, to_first(y)};
  EXPECT_EQ(left(Op::kMatMul), 1);
}

TEST_F(ChannelsFirst, ConstantsOverPixelsStay) {
  const ValueId x = to_last(input("x", {1, 16, 4, 16}));
  check({to_first(add(Op::kAdd, {add(Op::kMatMul, {x, weights({16, 16})}), constant({16, 16})}))});
  EXPECT_EQ(left(Op::kMatMul), 1);
}

TEST_F(ChannelsFirst, OtherTransposesAndAxesStay) {
  const ValueId x = input("x", {1, 16, 16, 16});
  const ValueId rows_last = add(Op::kTranspose, {x}, {{"perm", Ints{0, 3, 1, 2}}});
  check({to_first(linear(rows_last, 16, 8)), to_first(linear(x, 16, 8))});
  EXPECT_EQ(left(Op::kMatMul), 2);
}

TEST_F(ChannelsFirst, LayerNormalizationsThatRunByThemselves) {
  const ValueId x = input("x", {2, 21, 6, 5});
  const ValueId norm = layer_norm(to_last(x), 21);
  // its result is an output; two axes; a scale that is none of channels
  const ValueId last = to_last(x);
  const ValueId two = add(Op::kLayerNormalization, {last, constant({5, 21})}, {{"axis", 2}});
  check({to_first(norm), norm, to_first(two), to_first(layer_norm(add(Op::kRelu, {last}), 21))});
}

}  // namespace
}  // namespace tenon
