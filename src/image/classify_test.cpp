#include "tenon/classify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tenon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::vector<Prediction>> best(const Tensor& scores, int64_t k, ScoreKind kind = ScoreKind::kAuto,
                                          const std::vector<std::string>& labels = {}) {
  auto result = top_k(scores, k, labels, kind);
  EXPECT_TRUE(result.ok()) << result.error().to_string();
  return result.ok() ? *result : std::vector<std::vector<Prediction>>{};
}

ErrorCode error_of(const Result<std::vector<std::vector<Prediction>>>& result) {
  EXPECT_FALSE(result.ok());
  return result.ok() ? ErrorCode::kInternal : result.error().code;
}

TEST(Labels, AreThoseOfImageNet) {
  auto labels = imagenet_labels();
  ASSERT_EQ(labels.size(), 1000U);
  EXPECT_EQ(labels[0], "tench, Tinca tinca");
  EXPECT_EQ(labels[282], "tiger cat");
  EXPECT_EQ(labels[285], "Egyptian cat");
  EXPECT_EQ(labels[657], "missile");
  EXPECT_EQ(labels[967], "espresso");
  EXPECT_EQ(labels[999], "toilet tissue, toilet paper, bathroom tissue");
  EXPECT_EQ(default_labels(1001)[283], "tiger cat");
  EXPECT_EQ(default_labels(1001)[0], "background");
  EXPECT_TRUE(default_labels(10).empty());
}

TEST(Labels, ReadTextAndJson) {
  EXPECT_THAT(*parse_labels("zero\r\none\n\nthree\n\n"), ElementsAre("zero", "one", "", "three"));
  EXPECT_THAT(*parse_labels("\xef\xbb\xbfzero\none"), ElementsAre("zero", "one"));
  EXPECT_THAT(*parse_labels(R"( ["a", "b"] )"), ElementsAre("a", "b"));
  EXPECT_THAT(*parse_labels(R"({"1": "b", "0": ["n01440764", "a"]})"), ElementsAre("a", "b"));
  EXPECT_THAT(*parse_labels(R"({"a": 0, "c": 2})"), ElementsAre("a", "", "c"));
}

TEST(Labels, RefuseWhatIsNotUnderstood) {
  for (const char* text : {"", "\n\n", "[", "[]", "{}", "[1]", "[[]]", R"({"x": "a"})", R"({"-1": "a"})",
                           R"({"0": {}})", R"({"a": -1})", R"({"a": 18446744073709551615})"}) {
    EXPECT_FALSE(parse_labels(text).ok()) << text;
  }
  EXPECT_EQ(parse_labels(R"({"9999999": "a"})").error().code, ErrorCode::kLimit);
  EXPECT_FALSE(parse_labels(std::string(100000, '[')).ok());
}

TEST(TopK, AppliesSoftmaxToLogits) {
  std::vector<float> logits = {1, 3, 2, -INFINITY};
  auto rows = best(Tensor::from_floats(logits), 3, ScoreKind::kAuto, {"a", "b", "c", "d"});
  ASSERT_EQ(rows.size(), 1U);
  ASSERT_EQ(rows[0].size(), 3U);
  double sum = std::exp(-2.0) + 1.0 + std::exp(-1.0);
  EXPECT_EQ(rows[0][0].index, 1);
  EXPECT_EQ(rows[0][0].label, "b");
  EXPECT_EQ(rows[0][0].score, 3.0);
  EXPECT_DOUBLE_EQ(rows[0][0].probability, 1.0 / sum);
  EXPECT_DOUBLE_EQ(rows[0][1].probability, std::exp(-1.0) / sum);
  EXPECT_EQ(rows[0][2].index, 0);
}

TEST(TopK, TakesProbabilitiesAsTheyAre) {
  std::vector<float> row = {0.25F, 0.75F};
  EXPECT_EQ(best(Tensor::from_floats(row), 5)[0][0].probability, 0.75);
  EXPECT_NE(best(Tensor::from_floats(row), 5, ScoreKind::kLogits)[0][0].probability, 0.75);
  std::vector<float> no_distribution = {0.25F, 0.9F};
  EXPECT_NE(best(Tensor::from_floats(no_distribution), 1)[0][0].probability, static_cast<double>(0.9F));
  EXPECT_EQ(best(Tensor::from_floats(no_distribution), 1, ScoreKind::kProbabilities)[0][0].probability,
            static_cast<double>(0.9F));
}

TEST(TopK, GivesOneListAPictureAndKeepsTheOrderOfEqualScores) {
  Tensor scores = Tensor::from<float>(DataType::kFloat32, {2, 3, 1, 1}, std::vector<float>{5, 5, 7, 1, 0, 1});
  auto rows = best(scores, 3);
  ASSERT_EQ(rows.size(), 2U);
  auto indices = [](const std::vector<Prediction>& row) {
    std::vector<int64_t> result;
    for (const Prediction& prediction : row) result.push_back(prediction.index);
    return result;
  };
  EXPECT_THAT(indices(rows[0]), ElementsAre(2, 0, 1));
  EXPECT_THAT(indices(rows[1]), ElementsAre(0, 2, 1));
}

TEST(TopK, RefusesWhatAreNoScores) {
  std::vector<float> row = {1, 2};
  Tensor scores = Tensor::from_floats(row);
  EXPECT_EQ(error_of(top_k(scores, 0, {})), ErrorCode::kUsage);
  EXPECT_EQ(error_of(top_k(scores, 1, {"a"})), ErrorCode::kMismatch);
  EXPECT_EQ(error_of(top_k(Tensor::scalar(1.0F), 1, {})), ErrorCode::kMismatch);
  EXPECT_EQ(error_of(top_k(Tensor(), 1, {})), ErrorCode::kMismatch);
  EXPECT_EQ(error_of(top_k(Tensor::allocate(DataType::kFloat32, {1, 2, 3}), 1, {})), ErrorCode::kMismatch);
  EXPECT_EQ(error_of(top_k(Tensor::allocate(DataType::kFloat32, {1, 0}), 1, {})), ErrorCode::kMismatch);
  EXPECT_EQ(error_of(top_k(Tensor::allocate(DataType::kString, {2}), 1, {})), ErrorCode::kMismatch);
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY}) {
    std::vector<float> scores_with_bad = {0.5F, bad};
    EXPECT_EQ(error_of(top_k(Tensor::from_floats(scores_with_bad), 1, {})), ErrorCode::kNotComparable);
  }
}

}  // namespace
}  // namespace tenon
