#include "lower/aten/type_promotion.h"

#include "tensor/element.h"

namespace tenon::aten {

namespace {

bool is_complex(DataType type) {
  return compute_kind(type) == ComputeKind::kComplex;
}

// bool < integers < real < complex
int category(DataType type) {
  if (type == DataType::kUndefined) return -1;
  if (type == DataType::kBool) return 0;
  if (is_complex(type)) return 3;
  return is_float(type) ? 2 : 1;
}

DataType promote_or_other(DataType a, DataType b) {
  if (a == DataType::kUndefined) return b;
  if (b == DataType::kUndefined) return a;
  return promote_types(a, b);
}

// The type of a group of operands that comes first, unless the later group is of a higher category.
DataType combine(DataType first, DataType later) {
  if (first == DataType::kUndefined) return later;
  return category(later) > category(first) ? promote_or_other(first, later) : first;
}

}  // namespace

DataType promote_types(DataType a, DataType b) {
  if (a == b) return a;
  const int category_a = category(a);
  const int category_b = category(b);
  if (category_a < 0 || category_b < 0) return DataType::kUndefined;
  if (category_a != category_b) {
    const DataType high = category_a > category_b ? a : b;
    const DataType low = category_a > category_b ? b : a;
    if (high == DataType::kComplex64 && low == DataType::kFloat64) return DataType::kComplex128;
    return high;
  }
  if (category_a == 3) return DataType::kComplex128;
  if (category_a == 2) {
    if (a == DataType::kFloat64 || b == DataType::kFloat64) return DataType::kFloat64;
    if (a == DataType::kFloat32 || b == DataType::kFloat32) return DataType::kFloat32;
    const bool halves = (a == DataType::kFloat16 && b == DataType::kBFloat16) ||
                        (a == DataType::kBFloat16 && b == DataType::kFloat16);
    return halves ? DataType::kFloat32 : DataType::kUndefined;
  }
  const bool signed_a = compute_kind(a) == ComputeKind::kSigned;
  const bool signed_b = compute_kind(b) == ComputeKind::kSigned;
  const int bits_a = element_bits(a);
  const int bits_b = element_bits(b);
  if (signed_a == signed_b) return bits_a > bits_b ? a : b;
  const DataType with_sign = signed_a ? a : b;
  const DataType without = signed_a ? b : a;
  if (element_bits(with_sign) > element_bits(without)) return with_sign;
  switch (element_bits(without)) {
    case 8:
      return DataType::kInt16;
    case 16:
      return DataType::kInt32;
    case 32:
      return DataType::kInt64;
    default:
      return DataType::kFloat32;
  }
}

DataType result_type(std::span<const Operand> operands) {
  DataType by_rank[3] = {DataType::kUndefined, DataType::kUndefined, DataType::kUndefined};
  for (const Operand& operand : operands) {
    DataType type = operand.type;
    if (operand.rank == Operand::Rank::kNumber && type == DataType::kFloat64) type = DataType::kFloat32;
    DataType& group = by_rank[static_cast<size_t>(operand.rank)];
    group = promote_or_other(group, type);
  }
  return combine(by_rank[2], combine(by_rank[1], by_rank[0]));
}

DataType real_type(DataType type) {
  return category(type) < 2 ? DataType::kFloat32 : type;
}

DataType computing_type(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBFloat16 ? DataType::kFloat32 : type;
}

}  // namespace tenon::aten
