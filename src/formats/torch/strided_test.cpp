#include "formats/torch/strided.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <numeric>

namespace tenon {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

/// A storage of the float32 numbers 0, 1, ..., count - 1.
SharedBytes numbers(int64_t count) {
  Tensor tensor = Tensor::allocate(DataType::kFloat32, {count});
  std::iota(tensor.mutable_data<float>(), tensor.mutable_data<float>() + count, 0.0f);
  return {{tensor.raw(), tensor.bytes()}, tensor.owner()};
}

Tensor load(const StridedLayout& layout, int64_t count) {
  size_t budget_bytes = 1000;
  auto tensor = load_strided(DataType::kFloat32, layout, numbers(count), budget_bytes);
  EXPECT_TRUE(tensor.ok()) << tensor.error().to_string();
  return tensor.ok() ? *tensor : Tensor();
}

TEST(LoadStrided, GathersInRowMajorOrder) {
  EXPECT_THAT(load({{2, 3}, {1, 2}, 0}, 6).span<float>(), ElementsAre(0, 2, 4, 1, 3, 5)) << "transposed";
  EXPECT_THAT(load({{3}, {2}, 1}, 6).span<float>(), ElementsAre(1, 3, 5)) << "every second";
  EXPECT_THAT(load({{2, 2}, {0, 1}, 4}, 6).span<float>(), ElementsAre(4, 5, 4, 5)) << "expanded";
  EXPECT_THAT(load({{2, 2}, {3, 1}, 0}, 6).span<float>(), ElementsAre(0, 1, 3, 4)) << "columns left out";
  EXPECT_THAT(load({{}, {}, 5}, 6).span<float>(), ElementsAre(5)) << "scalar";
  EXPECT_EQ(load({{0, 3}, {3, 1}, 9}, 6).shape(), (Shape{0, 3})) << "empty";
}

TEST(LoadStrided, SharesBytesThatLieInOrder) {
  const SharedBytes storage = numbers(6);
  size_t budget_bytes = 0;
  for (const StridedLayout& layout :
       {StridedLayout{{2, 2}, {2, 1}, 2}, StridedLayout{{1, 2, 1, 2}, {77, 2, 99, 1}, 2}}) {
    auto tensor = load_strided(DataType::kFloat32, layout, storage, budget_bytes);
    ASSERT_TRUE(tensor.ok()) << tensor.error().to_string();
    EXPECT_EQ(tensor->raw(), storage.data() + 8);
    EXPECT_EQ(tensor->owner(), storage.owner);
  }
}

TEST(LoadStrided, CopiesWhatIsNotAligned) {
  const SharedBytes storage = numbers(6);
  size_t budget_bytes = 8;
  const SharedBytes odd = storage.part(1, 9);
  auto tensor = load_strided(DataType::kFloat32, {{2}, {1}, 0}, odd, budget_bytes);
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(std::memcmp(tensor->raw(), storage.data() + 1, 8), 0);
  EXPECT_EQ(budget_bytes, 0u);
}

TEST(LoadStrided, RefusesLayoutsOutsideTheStorage) {
  const std::vector<StridedLayout> bad = {{{7}, {1}, 0},
                                          {{6}, {1}, 1},
                                          {{2}, {6}, 0},
                                          {{1}, {1}, 6},
                                          {{1}, {1}, -1},
                                          {{-1}, {1}, 0},
                                          {{2}, {-1}, 3},
                                          {{2, 3}, {1}, 0},
                                          {{kMax, kMax}, {0, 0}, 0},
                                          {{3}, {kMax}, 0},
                                          {{2}, {kMax}, kMax},
                                          {{1}, {1}, kMax},
                                          {std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1), 0}};
  for (const StridedLayout& layout : bad) {
    size_t budget_bytes = 1000;
    auto tensor = load_strided(DataType::kFloat32, layout, numbers(6), budget_bytes);
    EXPECT_FALSE(tensor.ok()) << to_string(layout.sizes);
  }
}

TEST(LoadStrided, RefusesToExpandBeyondTheBudget) {
  size_t budget_bytes = 1000;
  auto tensor = load_strided(DataType::kFloat32, {{int64_t{1} << 40}, {0}, 0}, numbers(6), budget_bytes);
  ASSERT_FALSE(tensor.ok());
  EXPECT_EQ(tensor.error().code, ErrorCode::kLimit);
}

TEST(ContiguousStrides, AreRowMajor) {
  EXPECT_THAT(contiguous_strides({2, 3, 4}), ElementsAre(12, 4, 1));
  EXPECT_TRUE(contiguous_strides({}).empty());
  EXPECT_THAT(contiguous_strides({0, kMax, 2}), ElementsAre(0, 2, 1)) << "no element is there";
}

}  // namespace
}  // namespace tenon
