#include "kernels/strided_copy.h"

#include <gtest/gtest.h>

#include <numeric>

namespace tenon::kernels {
namespace {

Tensor counting(DataType type, Shape shape) {
  Tensor tensor = Tensor::allocate(type, std::move(shape));
  for (size_t i = 0; i < tensor.bytes(); ++i) tensor.mutable_raw()[i] = std::byte(i * 131 >> 3);
  return tensor;
}

// Each element by its indices, one after the other.
void expect_copied(DataType type, const Shape& shape, const std::vector<int64_t>& in_strides,
                   const std::byte* in, const Tensor& out) {
  const size_t width = element_size(type);
  for (int64_t i = 0; i < out.size(); ++i) {
    int64_t rest = i, offset = 0;
    for (size_t k = shape.size(); k-- > 0;) {
      offset += rest % shape[k] * in_strides[k];
      rest /= shape[k];
    }
    for (size_t b = 0; b < width; ++b)
      ASSERT_EQ(in[static_cast<ptrdiff_t>(width) * offset + static_cast<ptrdiff_t>(b)],
                out.raw()[static_cast<size_t>(i) * width + b])
          << "element " << i;
  }
}

TEST(StridedCopy, TransposesEveryWidthBeyondOneTile) {
  for (DataType type :
       {DataType::kUInt8, DataType::kFloat16, DataType::kFloat32, DataType::kInt64, DataType::kComplex128}) {
    Tensor in = counting(type, {3, 37, 70});
    Shape shape = {3, 70, 37};
    Tensor out = Tensor::allocate(type, shape);
    std::vector<int64_t> strides = {37 * 70, 1, 70};
    StridedCopy copy(type, shape, strides, dense_strides(shape));
    copy.run(in.raw(), out.mutable_raw());
    expect_copied(type, shape, strides, in.raw(), out);
  }
}

TEST(StridedCopy, RepeatsAndReverses) {
  Tensor in = counting(DataType::kFloat32, {4, 5});
  Shape shape = {4, 6, 5};
  std::vector<int64_t> strides = {5, 0, -1};
  Tensor out = Tensor::allocate(DataType::kFloat32, shape);
  const std::byte* last = in.raw() + 4 * sizeof(float);
  StridedCopy(DataType::kFloat32, shape, strides, dense_strides(shape)).run(last, out.mutable_raw());
  expect_copied(DataType::kFloat32, shape, strides, last, out);
}

TEST(StridedCopy, PartsOfTheOutermostDimensionMakeTheWhole) {
  Tensor in = counting(DataType::kInt16, {6, 7});
  Shape shape = {7, 6};
  std::vector<int64_t> strides = {1, 7};
  Tensor out = Tensor::allocate(DataType::kInt16, shape);
  StridedCopy copy(DataType::kInt16, shape, strides, dense_strides(shape));
  ASSERT_EQ(copy.outer(), 7);
  for (int64_t i = 0; i < 7; ++i) copy.run(in.raw(), out.mutable_raw(), i, i + 1);
  expect_copied(DataType::kInt16, shape, strides, in.raw(), out);
}

TEST(StridedCopy, EmptyAndScalarBoxes) {
  Tensor in = counting(DataType::kFloat64, {1});
  Tensor out = Tensor::allocate(DataType::kFloat64, {});
  StridedCopy(DataType::kFloat64, {}, {}, {}).run(in.raw(), out.mutable_raw());
  EXPECT_EQ(*in.data<uint64_t>(), *out.data<uint64_t>());
  Shape empty = {3, 0, 2};
  StridedCopy nothing(DataType::kFloat64, empty, dense_strides(empty), dense_strides(empty));
  EXPECT_EQ(nothing.outer(), 0);
  nothing.run(nullptr, nullptr);
}

}  // namespace
}  // namespace tenon::kernels
