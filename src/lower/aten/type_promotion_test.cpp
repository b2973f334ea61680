#include "lower/aten/type_promotion.h"

#include <gtest/gtest.h>

#include <vector>

namespace tenon::aten {
namespace {

using enum DataType;
using enum Operand::Rank;

DataType result(std::vector<Operand> operands) {
  return result_type(operands);
}

// Each line is what torch.promote_types of PyTorch 2.13 gives.
TEST(TypePromotion, PromotesAsPyTorch) {
  EXPECT_EQ(promote_types(kUInt8, kInt8), kInt16);
  EXPECT_EQ(promote_types(kUInt8, kInt64), kInt64);
  EXPECT_EQ(promote_types(kBool, kInt8), kInt8);
  EXPECT_EQ(promote_types(kInt64, kFloat16), kFloat16);
  EXPECT_EQ(promote_types(kFloat16, kBFloat16), kFloat32);
  EXPECT_EQ(promote_types(kFloat32, kFloat64), kFloat64);
  EXPECT_EQ(promote_types(kComplex64, kFloat64), kComplex128);
}

// torch.result_type(tensor or number, tensor or number).
TEST(TypePromotion, RanksOperandsAsPyTorch) {
  EXPECT_EQ(result({{kInt64, kTensor}, {kFloat64, kNumber}}), kFloat32);
  EXPECT_EQ(result({{kFloat16, kTensor}, {kFloat64, kNumber}}), kFloat16);
  EXPECT_EQ(result({{kUInt8, kTensor}, {kInt64, kNumber}}), kUInt8);
  EXPECT_EQ(result({{kBool, kTensor}, {kInt64, kNumber}}), kInt64);
  EXPECT_EQ(result({{kFloat32, kTensor}, {kFloat64, kZeroDim}}), kFloat32);
  EXPECT_EQ(result({{kInt32, kTensor}, {kFloat64, kZeroDim}}), kFloat64);
  EXPECT_EQ(result({{kInt32, kTensor}, {kInt64, kZeroDim}}), kInt32);
  EXPECT_EQ(result({{kInt64, kZeroDim}, {kFloat64, kNumber}}), kFloat32);
}

// c10's opmath types.
TEST(TypePromotion, HalfTypesAreComputedInFloat32) {
  EXPECT_EQ(computing_type(kFloat16), kFloat32);
  EXPECT_EQ(computing_type(kBFloat16), kFloat32);
  EXPECT_EQ(computing_type(kFloat64), kFloat64);
}

}  // namespace
}  // namespace tenon::aten
