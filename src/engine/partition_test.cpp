// Graphs whose fusion has to stop somewhere, beside their references.
#include "runtime/beside_references.h"

namespace tenon {
namespace {

using Fusion = BesideReferences;
using Ints = std::vector<int64_t>;

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

TEST_F(Fusion, OfRowsThatOthersRead) {
  const ValueId x = input("x", {6, 8});
  const ValueId y = add(Op::kLayerNormalization, {x, constant({8}), constant({8})});
  const ValueId z = add(Op::kTranspose, {y}, {{"perm", Ints{0, 1}}});
  check({add(Op::kMatMul, {z, constant({8, 5})}), add(Op::kRelu, {y})}, {"all"});
}

TEST_F(Fusion, OfRowsThatAreOutputs) {
  const ValueId y = add(Op::kLayerNormalization, {input("x", {6, 8}), constant({8})});
  check({add(Op::kMatMul, {y, constant({8, 5})}), y});
}

TEST_F(Fusion, OfRowsThatAreCutOrTurned) {
  const ValueId x = input("x", {6, 8});
  const ValueId back = add(Op::kSlice, {x, ints({-1}), ints({INT64_MIN}), ints({-1}), ints({-1})});
  const ValueId turned = add(Op::kTranspose, {input("y", {8, 8})}, {{"perm", Ints{1, 0}}});
  const ValueId beside = add(Op::kConcat, {input("a", {3, 4}), input("b", {3, 4})}, {{"axis", -1}});
  std::vector<ValueId> outputs;
  for (ValueId id : {back, turned, beside}) outputs.push_back(add(Op::kMatMul, {id, constant({8, 5})}));
  check(outputs, {"all"});
}

TEST_F(Fusion, OfRowsOfTwoInputsOrTwoNorms) {
  const ValueId x = input("x", {3, 8}), y = input("y", {4, 8});
  const auto norm = [&](ValueId id) { return add(Op::kLayerNormalization, {id, constant({8})}); };
  const ValueId two = add(Op::kConcat, {x, y}, {{"axis", 0}});
  const ValueId half = add(Op::kConcat, {norm(x), x}, {{"axis", 0}});
  std::vector<ValueId> outputs;
  for (ValueId id : {two, half, norm(norm(x))}) outputs.push_back(add(Op::kMatMul, {id, constant({8, 5})}));
  check(outputs, {"all"});
}

TEST_F(Fusion, OfAWindowThatAddsThePlanarInput) {
  const ValueId x = input("x", {1, 3, 8, 8});
  const ValueId y = add(Op::kConv, {x, constant({3, 3, 3, 3})}, {{"pads", Ints{1, 1, 1, 1}}});
  const ValueId z =
      add(Op::kConv, {y, constant({3, 1, 3, 3})}, {{"pads", Ints{1, 1, 1, 1}}, {"group", int64_t{3}}});
  check({add(Op::kMul, {add(Op::kAdd, {z, x}), build_.constant(Tensor::scalar(0.001f))})});
}

TEST_F(Fusion, OfRowsBehindNodesThatTurnThem) {
  const ValueId x = add(Op::kTranspose, {input("x", {2, 8, 5})}, {{"perm", Ints{0, 2, 1}}});
  const ValueId y = add(Op::kLayerNormalization, {x, constant({8}), constant({8})});
  check({add(Op::kMatMul, {y, constant({8, 5})})});
}

TEST_F(Fusion, OfRowsNormalisedAlongOtherAxes) {
  const ValueId y =
      add(Op::kLayerNormalization, {input("x", {5, 4, 8}), constant({4, 8})}, {{"axis", int64_t{1}}});
  check({add(Op::kMatMul, {y, constant({8, 5})})});
}

TEST_F(Fusion, OfRowsThatTheTailReads) {
  const ValueId x = input("x", {5, 8});
  const ValueId y = add(Op::kMatMul, {add(Op::kLayerNormalization, {x, constant({8})}), constant({8, 8})});
  check({add(Op::kAdd, {y, x})});
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

TEST_F(Fusion, PoolsThatTheirConvolutionsDoNotTake) {
  const Attributes window = {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}};
  const ValueId x = input("x", {1, 3, 20, 21}), residual = input("r", {1, 16, 18, 19});
  const ValueId read_twice = add(Op::kConv, {x, constant({16, 3, 3, 3})});
  const ValueId sum = add(Op::kAdd, {add(Op::kConv, {x, constant({16, 3, 3, 3})}), residual});
  const ValueId indexed = add(Op::kConv, {x, constant({16, 3, 3, 3})});
  const auto pooled =
      build_.add_node(Op::kMaxPool, {indexed}, window, std::vector<std::string>{"values", "indices"}).value();
  const ValueId numbers = add(Op::kCast, {pooled[1]}, {{"to", int64_t{1}}});
  check({add(Op::kMaxPool, {read_twice}, window), read_twice, add(Op::kMaxPool, {sum}, window), pooled[0],
         numbers});
}

TEST_F(Fusion, WhatAProductLooksThroughStaysOutsideOfOtherRegions) {
  // Products read the values before a view that somebody else reads, too.
  const ValueId x = add(Op::kConv, {input("x", {1, 16, 6, 5}), constant({16, 16, 1, 1})});
  const ValueId last = add(Op::kTranspose, {x}, {{"perm", Ints{0, 2, 3, 1}}});
  const ValueId norm = add(Op::kLayerNormalization, {last, constant({16})}, {{"axis", int64_t{-1}}});
  const ValueId first = add(Op::kTranspose, {norm}, {{"perm", Ints{0, 3, 1, 2}}});
  const ValueId rows = add(Op::kReshape, {first, ints({1, 16, 30})});
  const ValueId columns = add(Op::kTranspose, {rows}, {{"perm", Ints{0, 2, 1}}});
  const ValueId part = build_.constant(Tensor::scalar(0.125f));
  const ValueId sum = add(Op::kAdd, {input("y", {2, 9, 9}), input("z", {2, 9, 9})});
  const ValueId scaled = add(Op::kMul, {sum, part});
  check({add(Op::kMul, {add(Op::kMatMul, {rows, columns}), part}), add(Op::kRelu, {first}), first,
         add(Op::kMatMul, {scaled, scaled}), add(Op::kRelu, {scaled})});
}

TEST_F(Fusion, ScalesOfLayerNormalizationAlongOtherAxes) {
  const ValueId x = add(Op::kConv, {input("x", {1, 8, 6, 8}), constant({8, 8, 1, 1})});
  const ValueId last = add(Op::kTranspose, {x}, {{"perm", Ints{0, 2, 3, 1}}});
  const Attributes axis = {{"axis", int64_t{-1}}};
  const ValueId norm = add(Op::kLayerNormalization, {last, constant({8, 1})}, axis);
  const ValueId alone = add(Op::kLayerNormalization, {input("y", {3, 8, 8}), constant({8, 1})}, axis);
  const ValueId behind = add(Op::kLayerNormalization, {input("z", {3, 8, 8}), constant({1, 1, 8})}, axis);
  check({add(Op::kTranspose, {norm}, {{"perm", Ints{0, 3, 1, 2}}}), alone, behind});
}

TEST_F(Fusion, PoolsOfConvolutionsWithoutColumns) {
  const ValueId x = input("x", {1, 3, 8, 1});
  const ValueId y =
      add(Op::kConv, {x, constant({16, 3, 3, 3})}, {{"strides", Ints{1, 5}}, {"pads", Ints{0, 1, 0, 0}}});
  const ValueId pooled = add(Op::kMaxPool, {y}, {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{0, 1, 0, 1}}});
  // Infinities have no difference.
  check({add(Op::kCast, {add(Op::kIsInf, {pooled})}, {{"to", int64_t{1}}})});
}

TEST_F(Fusion, OfAttentionWhosePartsOthersRead) {
  const ValueId x = input("x", {2, 6, 3, 8}), k = input("k", {2, 3, 8, 7}), v = input("v", {2, 7, 3, 4});
  const ValueId q = add(Op::kTranspose, {x}, {{"perm", Ints{0, 2, 1, 3}}});
  const ValueId values = add(Op::kTranspose, {v}, {{"perm", Ints{0, 2, 1, 3}}});
  const Attributes last = {{"axis", int64_t{-1}}};
  const auto scores = [&] { return add(Op::kMatMul, {q, k}); };
  const auto weights = [&](ValueId id) { return add(Op::kSoftmax, {id}, last); };
  const ValueId read_scores = scores(), read_weights = weights(scores());
  const ValueId context = add(Op::kMatMul, {weights(scores()), values});
  const ValueId turned = add(Op::kTranspose, {context}, {{"perm", Ints{0, 2, 1, 3}}});
  check({add(Op::kMatMul, {weights(read_scores), values}), read_scores,
         add(Op::kMatMul, {read_weights, values}), add(Op::kRelu, {read_weights}), turned,
         add(Op::kReshape, {turned, ints({2, 6, 12})}), add(Op::kReshape, {turned, ints({12, 12})}),
         add(Op::kRelu, {values}), add(Op::kMatMul, {weights(scores()), values})});
}

TEST_F(Fusion, OfAttentionThatAddsProductsAndViews) {
  const ValueId x = input("x", {3, 5, 5}), y = input("y", {3, 5, 5});
  const ValueId t = add(Op::kTranspose, {x}, {{"perm", Ints{0, 2, 1}}});
  const Attributes last = {{"axis", int64_t{2}}};
  const ValueId half = build_.constant(Tensor::scalar(0.5f));
  // Sums of two products; of a product and the view that it reads; of scaled sums; along another axis.
  const ValueId two = add(Op::kAdd, {add(Op::kMatMul, {x, t}), add(Op::kMatMul, {y, t})});
  const ValueId viewed = add(Op::kAdd, {add(Op::kMatMul, {y, t}), t});
  const ValueId scaled = add(Op::kMul, {add(Op::kAdd, {add(Op::kMatMul, {y, t}), y}), half});
  const ValueId over = add(Op::kDiv, {half, add(Op::kMatMul, {y, t})});
  const ValueId itself = add(Op::kMatMul, {y, t});
  std::vector<ValueId> outputs;
  for (ValueId id : {two, viewed, scaled, over, add(Op::kAdd, {itself, itself})})
    outputs.push_back(add(Op::kMatMul, {add(Op::kSoftmax, {id}, last), y}));
  const ValueId across = add(Op::kSoftmax, {add(Op::kMatMul, {y, t})}, {{"axis", int64_t{1}}});
  outputs.push_back(add(Op::kMatMul, {across, y}));
  outputs.push_back(add(Op::kMatMul, {y, add(Op::kSoftmax, {add(Op::kMatMul, {y, t})}, last)}));
  check(outputs);
}

TEST_F(Fusion, OfAttentionBesideReshapes) {
  // Reshapes of the scores that cut rows, views that lie unevenly, and products with constants.
  const ValueId x = input("x", {4, 6, 8}), k = input("k", {4, 8, 6}), v = input("v", {2, 12, 6});
  const Attributes last = {{"axis", int64_t{-1}}};
  const ValueId cut = add(Op::kReshape, {add(Op::kMatMul, {x, k}), ints({2, 6, 12})});
  const ValueId uneven =
      add(Op::kReshape, {add(Op::kTranspose, {k}, {{"perm", Ints{1, 0, 2}}}), ints({4, 8, 6})});
  const ValueId weights = add(Op::kSoftmax, {add(Op::kMatMul, {x, uneven})}, last);
  const ValueId fixed = add(Op::kSoftmax, {add(Op::kMatMul, {x, constant({8, 5})})}, last);
  check({add(Op::kMatMul, {add(Op::kSoftmax, {cut}, last), v}),
         add(Op::kMatMul, {weights, add(Op::kTranspose, {k}, {{"perm", Ints{0, 2, 1}}})}),
         add(Op::kMatMul, {fixed, constant({5, 3})}),
         add(Op::kTranspose, {add(Op::kMatMul, {add(Op::kSoftmax, {add(Op::kMatMul, {x, k})}, last), x})},
             {{"perm", Ints{2, 0, 1}}})});
}

TEST_F(Fusion, OfAttentionBehindWhichAnotherOneLooks) {
  // The values of the second attention, which comes first, are views of what the first one makes.
  const ValueId q1 = input("q1", {2, 3, 5, 4}), k1 = input("k1", {2, 3, 4, 6}),
                v1 = input("v1", {2, 3, 6, 8});
  const ValueId q2 = input("q2", {2, 5, 7, 4}), k2 = input("k2", {2, 5, 4, 3});
  const Attributes last = {{"axis", int64_t{-1}}};
  const ValueId weights2 = add(Op::kSoftmax, {add(Op::kMatMul, {q2, k2})}, last);
  const ValueId weights1 = add(Op::kSoftmax, {add(Op::kMatMul, {q1, k1})}, last);
  const ValueId context = add(Op::kMatMul, {weights1, v1});
  const ValueId turned = add(Op::kTranspose, {context}, {{"perm", Ints{0, 2, 1, 3}}});
  check({add(Op::kMatMul, {weights2, turned})});
}

}  // namespace
}  // namespace tenon
