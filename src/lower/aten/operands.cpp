#include "lower/aten/operands.h"

namespace tenon::lower {

namespace {

DataType number_type(const aten::Number& number) {
  if (std::holds_alternative<bool>(number) || std::holds_alternative<aten::SymBoolRef>(number))
    return DataType::kBool;
  if (std::holds_alternative<int64_t>(number) || std::holds_alternative<aten::SymIntRef>(number))
    return DataType::kInt64;
  if (std::holds_alternative<std::complex<double>>(number)) return DataType::kComplex64;
  return DataType::kFloat64;
}

}  // namespace

Result<RawOperand> raw_operand(LowerContext& context, std::string_view name) {
  RawOperand out;
  const aten::Argument argument = TENON_TRY(context.args().argument(name));
  if (argument.get<aten::TensorRef>() != nullptr) {
    out.tensor = TENON_TRY(context.tensor(name));
    out.operand = Math(context.builder()).operand(out.tensor);
    return out;
  }
  out.number = TENON_TRY(context.args().scalar(name));
  out.operand = {number_type(out.number), aten::Operand::Rank::kNumber};
  return out;
}

Result<ValueId> convert(LowerContext& context, const RawOperand& operand, DataType type) {
  if (operand.tensor != kNoValue) return context.cast(operand.tensor, type);
  return context.scalar(operand.number, type);
}

Result<std::vector<ValueId>> operands(LowerContext& context, std::span<const std::string_view> names,
                                      Compute compute) {
  std::vector<RawOperand> raw;
  std::vector<aten::Operand> types;
  for (std::string_view name : names) {
    raw.push_back(TENON_TRY(raw_operand(context, name)));
    types.push_back(raw.back().operand);
  }
  DataType type = aten::result_type(types);
  if (type == DataType::kUndefined)
    return context.unsupported("PyTorch has no common type of these operands");
  if (compute == Compute::kReal) type = aten::real_type(type);
  std::vector<ValueId> values;
  for (const RawOperand& operand : raw) values.push_back(TENON_TRY(convert(context, operand, type)));
  return values;
}

Result<Pair> operands(LowerContext& context, std::string_view first, std::string_view second,
                      Compute compute) {
  const std::string_view names[] = {first, second};
  const std::vector<ValueId> values = TENON_TRY(operands(context, names, compute));
  return Pair{values[0], values[1]};
}

}  // namespace tenon::lower
