#include "lower/aten/argument_reader.h"

#include <gtest/gtest.h>

namespace tenon::aten {
namespace {

Node node(std::string target, std::vector<NamedArgument> inputs) {
  return {.name = "n", .target = std::move(target), .inputs = std::move(inputs), .outputs = {}, .origin = {}};
}

// The expected values are PyTorch's documented signatures.
TEST(Schemas, HoldWhatPyTorchDeclares) {
  const Schema* add = find_schema("aten.add_.Tensor");
  ASSERT_NE(add, nullptr);
  EXPECT_TRUE(add->argument(0).is_written);
  EXPECT_EQ(add->argument(0).alias, 'a');
  EXPECT_EQ(add->result(0).alias, 'a');
  EXPECT_EQ(add->argument(2).name, "alpha");
  EXPECT_TRUE(add->argument(2).keyword_only);
  const Schema* view = find_schema("aten.view.default");
  ASSERT_NE(view, nullptr);
  EXPECT_FALSE(view->argument(0).is_written);
  EXPECT_EQ(view->result(0).alias, 'a');
  const Schema* index = find_schema("aten.index.Tensor");
  ASSERT_NE(index, nullptr);
  EXPECT_TRUE(index->argument(1).optional_elements);
  const Schema* split = find_schema("aten.split.Tensor");
  ASSERT_NE(split, nullptr);
  EXPECT_TRUE(split->result(0).is_list);
  EXPECT_EQ(find_schema("aten.no_such_operator.default"), nullptr);
  EXPECT_EQ(find_schema("other.add.Tensor"), nullptr);
}

TEST(ArgumentReader, FillsInDefaults) {
  Graph graph;
  Node conv = node("aten.conv2d.default", {{"input", TensorRef{"x"}}, {"weight", TensorRef{"w"}}});
  ArgumentReader reader(graph, conv);
  EXPECT_EQ(reader.op(), "conv2d");
  EXPECT_EQ(*reader.tensor("input"), "x");
  EXPECT_EQ(*reader.optional_tensor("bias"), std::nullopt);
  EXPECT_EQ(*reader.integers("stride"), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(*reader.integers("padding"), (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(*reader.integer("groups"), 1);
  EXPECT_FALSE(reader.has("bias"));

  Node flatten = node("aten.flatten.using_ints", {{"self", TensorRef{"x"}}, {"start_dim", int64_t{1}}});
  EXPECT_EQ(*ArgumentReader(graph, flatten).integer("end_dim"), -1);
  Node norm = node("aten.layer_norm.default", {});
  EXPECT_EQ(*ArgumentReader(graph, norm).number("eps"), 1e-5);
  Node gelu = node("aten.gelu.default", {});
  EXPECT_EQ(*ArgumentReader(graph, gelu).string("approximate"), "none");
  Node loss = node("aten.mse_loss.default", {});
  EXPECT_EQ(*ArgumentReader(graph, loss).integer("reduction"), 1);
  Node pool = node("aten.max_pool2d.default", {{"kernel_size", std::vector<int64_t>{3}}});
  EXPECT_TRUE(ArgumentReader(graph, pool).integers("stride")->empty());
}

TEST(ArgumentReader, KeepsSymbolsAndSaysWhereTheyDoNotFit) {
  Graph graph;
  graph.symbols["n"] = {
      .kind = SymValue::Kind::kInt, .expr = {}, .as_int = SymInt::symbol("s0") * 2, .hint = {}};
  Node view = node("aten.view.default", {{"self", TensorRef{"x"}}, {"size", SymIntList{{"n", 0}, {"", -1}}}});
  ArgumentReader reader(graph, view);
  SymShape sizes = *reader.sym_integers("size");
  EXPECT_EQ(sizes[0], SymInt::symbol("s0") * 2);
  EXPECT_EQ(sizes[1], SymInt(-1));
  auto plain = reader.integers("size");
  ASSERT_FALSE(plain.ok());
  EXPECT_EQ(plain.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(plain.error().op, "aten.view.default");
  EXPECT_EQ(reader.tensor("size").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(reader.tensor("other").error().code, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace tenon::aten
