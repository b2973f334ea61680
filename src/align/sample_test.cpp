#include "align/sample.h"

#include <gtest/gtest.h>

#include "base/process.h"
#include "tenon/npy.h"

namespace tenon::alignment {
namespace {

using Names = std::vector<std::string>;

NamedValue named(const std::string& name, float value) {
  return {name, Tensor::scalar(value)};
}

float scalar(const Value& value) {
  return value.tensor().data<float>()[0];
}

TEST(Sample, NamesMeetByNameAndThenInOrder) {
  EXPECT_EQ(match_names({"a", "b"}, {"b", "a"}), (std::vector<int>{1, 0}));
  EXPECT_EQ(match_names({"x", "b", "y"}, {"p", "b", "q"}), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(match_names({"a", "b"}, {"c"}), (std::vector<int>{0, -1}));
}

TEST(Sample, OneWithOtherNamesIsRenamedByPosition) {
  auto sample = renamed({named("p", 1), named("b", 2)}, {"a", "b"}).value();
  EXPECT_EQ(sample[0].name, "a");
  EXPECT_EQ(scalar(sample[0].value), 1);
  EXPECT_EQ(scalar(sample[1].value), 2);
  EXPECT_EQ(renamed({named("p", 1)}, {"a", "b"}).error().code, ErrorCode::kNotComparable);
}

TEST(Sample, ARecordingIsCutIntoInputsAndOutputs) {
  auto by_name = split_recorded({named("y", 3), named("b", 2), named("a", 1)}, {"a", "b"}, {"y"}).value();
  ASSERT_EQ(by_name.inputs.size(), 2u);
  EXPECT_EQ(scalar(*find(by_name.inputs, "a")), 1);
  EXPECT_EQ(by_name.outputs[0].name, "y");
  auto by_place = split_recorded({named("y", 3), named("p", 1), named("z", 4)}, {"a"}, {"y"}).value();
  EXPECT_EQ(scalar(*find(by_place.inputs, "a")), 1);
  EXPECT_EQ(by_place.outputs.size(), 2u);
  EXPECT_FALSE(split_recorded({named("y", 3)}, {"a"}, {"y"}).ok());
}

class ReadSamples : public testing::Test {
 protected:
  Result<std::vector<Sample>> read(const std::vector<NamedValue>& arrays) {
    auto folder = TemporaryFolder::create();
    if (!write_npz(folder->path("s.npz"), arrays).ok()) return fail(ErrorCode::kIo, "not written");
    return read_samples(folder->path("s.npz"));
  }
};

TEST_F(ReadSamples, TakesNumbersBeforeTheFirstSlash) {
  auto samples = read({named("0/a/b", 1), named("1/a/b", 2)}).value();
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1][0].name, "a/b");
  EXPECT_EQ(scalar(samples[1][0].value), 2);
}

TEST_F(ReadSamples, TakesPlainNamesAsOneSample) {
  auto samples = read({named("0/a", 1), named("b", 2)}).value();
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0][0].name, "0/a");
}

TEST_F(ReadSamples, RefusesGapsAndHugeNumbers) {
  for (const char* name : {"2/a", "18446744073709551615/a", "999999999/a"}) {
    auto samples = read({named("0/a", 1), named(name, 2)});
    ASSERT_FALSE(samples.ok()) << name;
    EXPECT_EQ(samples.error().code, ErrorCode::kMalformed);
    EXPECT_NE(samples.error().file.find("s.npz"), std::string::npos);
  }
  EXPECT_FALSE(read({named("0/a", 1), named("1/b", 2)}).ok());
}

}  // namespace
}  // namespace tenon::alignment
