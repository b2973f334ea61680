#include "ops/elementwise/broadcast.h"

#include <gtest/gtest.h>

namespace tenon::ops {
namespace {

// Element (i, j, k) of a tensor of strides; what numpy.broadcast_to would show.
std::vector<double> naive(const Tensor& tensor, const Shape& shape) {
  std::vector<double> out;
  int64_t size = 1;
  for (int64_t dim : shape) size *= dim;
  for (int64_t flat = 0; flat < size; ++flat) {
    int64_t rest = flat;
    int64_t offset = 0;
    int64_t stride = 1;
    for (size_t axis = shape.size(); axis-- > 0;) {
      const int64_t index = rest % shape[axis];
      rest /= shape[axis];
      const size_t skip = shape.size() - tensor.shape().size();
      if (axis < skip) continue;
      const int64_t dim = tensor.shape()[axis - skip];
      offset += dim == 1 ? 0 : index * stride;
      stride *= dim;
    }
    out.push_back(static_cast<double>(tensor.data<int64_t>()[offset]));
  }
  return out;
}

Tensor counting(Shape shape) {
  Tensor tensor = Tensor::allocate(DataType::kInt64, std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.mutable_data<int64_t>()[i] = i;
  return tensor;
}

TEST(BroadcastPlan, ReadsEachInputAsBroadcast) {
  const std::vector<std::vector<Shape>> cases = {
      {{2, 3, 4}, {2, 3, 4}}, {{2, 3, 4}, {}},          {{2, 3, 4}, {4}},
      {{2, 3, 4}, {3, 1}},    {{2, 3, 4}, {2, 1, 4}},   {{2, 1, 4}, {1, 3, 1}},
      {{1}, {5, 1, 7}},       {{2, 3, 4}, {2, 1, 1}},   {{}, {}},
      {{0, 3}, {1}},          {{4, 1, 2, 1}, {3, 1, 5}}};
  for (const auto& shapes : cases) {
    const BroadcastPlan plan = BroadcastPlan::make(shapes).value();
    for (size_t input = 0; input < shapes.size(); ++input) {
      const Tensor tensor = counting(shapes[input]);
      const std::vector<double> expected = naive(tensor, plan.shape());
      ASSERT_EQ(plan.size(), static_cast<int64_t>(expected.size()));
      for (int64_t begin = 0; begin < plan.size(); begin += 5) {
        const int64_t count = std::min<int64_t>(5, plan.size() - begin);
        std::vector<double> got(static_cast<size_t>(count));
        plan.load<double>(input, tensor, begin, count, got.data());
        for (int64_t i = 0; i < count; ++i)
          EXPECT_EQ(got[static_cast<size_t>(i)], expected[static_cast<size_t>(begin + i)])
              << to_string(shapes[0]) << to_string(shapes[1]) << input << " at " << begin + i;
      }
    }
  }
}

TEST(BroadcastPlan, RefusesShapesThatDoNotFit) {
  EXPECT_FALSE(BroadcastPlan::make({{2, 3}, {2}}).ok());
  EXPECT_FALSE(BroadcastPlan::make({{0}, {2}}).ok());
}

}  // namespace
}  // namespace tenon::ops
