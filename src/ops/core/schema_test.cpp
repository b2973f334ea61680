#include "ops/core/schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace tenon::ops {
namespace {

// The counts are those of the ONNX 1.23 documentation (operators and their versions, by domain).
TEST(Schema, HoldsEveryOperatorVersion) {
  std::map<std::string_view, int> pairs;
  for (const Schema& schema : all_schemas()) ++pairs[schema.domain];
  EXPECT_EQ(pairs[""], 629);
  EXPECT_EQ(pairs["ai.onnx.ml"], 25);
  EXPECT_EQ(pairs["ai.onnx.preview.training"], 4);
  EXPECT_EQ(pairs["ai.onnx.preview"], 1);
}

TEST(Schema, FindsTheVersionInForce) {
  EXPECT_EQ(find_schema("", "Softmax", 28)->since_version, 13);
  EXPECT_EQ(find_schema("", "Softmax", 13)->since_version, 13);
  EXPECT_EQ(find_schema("", "Softmax", 12)->since_version, 11);
  EXPECT_EQ(find_schema("ai.onnx", "Softmax", 1)->since_version, 1);
  EXPECT_EQ(find_schema("", "Gelu", 19), nullptr);
  EXPECT_EQ(find_schema("", "NoSuchOperator", 28), nullptr);
  EXPECT_EQ(find_schema("com.microsoft", "Gelu", 28), nullptr);
  EXPECT_TRUE(find_schema("", "Upsample", 28)->deprecated);
  EXPECT_FALSE(find_schema("", "Upsample", 9)->deprecated);
}

TEST(Schema, ListsVersionsOldestFirst) {
  const auto versions = schema_versions("", "Relu");
  ASSERT_EQ(versions.size(), 4u);
  EXPECT_TRUE(std::ranges::is_sorted(versions, {}, &Schema::since_version));
  EXPECT_TRUE(schema_versions("", "relu").empty());
}

TEST(Schema, KnowsParameters) {
  const Schema* conv = find_schema("", "Conv", 11);
  EXPECT_EQ(conv->input(2)->name, "B");
  EXPECT_EQ(conv->input(2)->option, SchemaParameter::Option::kOptional);
  EXPECT_EQ(conv->input(3), nullptr);
  EXPECT_TRUE(conv->input(0)->types.has_tensor(DataType::kFloat16));
  EXPECT_FALSE(conv->input(0)->types.has_tensor(DataType::kInt32));

  const Schema* concat = find_schema("", "Concat", 13);
  EXPECT_EQ(concat->max_inputs, kAnyCount);
  EXPECT_EQ(concat->input(41), concat->input(0));
  EXPECT_TRUE(concat->input(0)->types.has_tensor(DataType::kString));

  const TypeSet optional = find_schema("", "OptionalGetElement", 18)->input(0)->types;
  EXPECT_NE(optional.optional_sequences, 0u);
  EXPECT_NE(optional.optionals, 0u);
  EXPECT_TRUE(find_schema("ai.onnx.ml", "ZipMap", 1)->output(0)->types.others);
}

TEST(Schema, KnowsAttributesAndDefaults) {
  const Schema* norm = find_schema("", "LayerNormalization", 17);
  EXPECT_EQ(norm->attribute("axis")->default_int, -1);
  EXPECT_EQ(norm->attribute("epsilon")->default_float, 1e-5f);
  EXPECT_EQ(norm->attribute("no_such"), nullptr);
  EXPECT_EQ(find_schema("", "Conv", 1)->attribute("auto_pad")->default_string, "NOTSET");
  EXPECT_TRUE(find_schema("", "Concat", 13)->attribute("axis")->required);
  EXPECT_EQ(find_schema("", "LSTM", 22)->attribute("direction")->default_string, "forward");
  const SchemaAttribute* activations = find_schema("", "RNN", 22)->attribute("activations");
  ASSERT_EQ(activations->default_strings.size(), 2u);
  EXPECT_EQ(activations->default_strings[0], "Tanh");
}

}  // namespace
}  // namespace tenon::ops
