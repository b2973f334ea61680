// Comparisons, logic, bits, and the operators that choose by a condition.
#include "lower/aten/families.h"
#include "lower/aten/operands.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// Bools compare as integers do.
Result<Pair> comparable(LowerContext& context) {
  Pair p = TENON_TRY(operands(context, "self", "other"));
  if (context.element(p.a) == DataType::kBool) {
    p.a = TENON_TRY(context.cast(p.a, DataType::kInt32));
    p.b = TENON_TRY(context.cast(p.b, DataType::kInt32));
  }
  return p;
}

template <Op op>
Status lower_compare(LowerContext& context) {
  const Pair p = TENON_TRY(comparable(context));
  return context.finish(op, {p.a, p.b});
}

Status lower_equal(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(Op::kEqual, {p.a, p.b});
}

Status lower_not_equal(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(Op::kNot, {TENON_TRY(context.add(Op::kEqual, {p.a, p.b}))});
}

template <Op op>
Status lower_logical(LowerContext& context) {
  const ValueId a = TENON_TRY(context.cast(TENON_TRY(context.tensor("self")), DataType::kBool));
  const ValueId b = TENON_TRY(context.cast(TENON_TRY(context.tensor("other")), DataType::kBool));
  return context.finish(op, {a, b});
}

Status lower_logical_not(LowerContext& context) {
  return context.finish(Op::kNot,
                        {TENON_TRY(context.cast(TENON_TRY(context.tensor("self")), DataType::kBool))});
}

template <Op logic, Op bits>
Status lower_bitwise(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(context.element(p.a) == DataType::kBool ? logic : bits, {p.a, p.b});
}

Status lower_bitwise_not(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  return context.finish(context.element(x) == DataType::kBool ? Op::kNot : Op::kBitwiseNot, {x});
}

// Shifts by a known amount are products and floor divisions by a power of two, which every opset has.
Status lower_shift(LowerContext& context) {
  const std::string_view name = context.args().op();
  const bool left = name == "bitwise_left_shift" || name == "__lshift__";
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  if (!is_integer(context.element(p.a))) return context.unsupported("shifts of real numbers");
  const Tensor* amount = context.constant(p.b);
  const int bits = element_bits(context.element(p.a));
  if (amount != nullptr && amount->size() == 1) {
    const auto by = load_element<int64_t>(*amount, 0);
    if (by >= 0 && by < bits - 1) {
      Math m(context.builder());
      const ValueId power = m.number(p.a, static_cast<double>(uint64_t{1} << by));
      return left ? context.finish(m.mul(p.a, power)) : context.finish(m.floor_divide(p.a, power));
    }
  }
  return context.finish(Op::kBitShift, {p.a, p.b}, {{"direction", std::string(left ? "LEFT" : "RIGHT")}});
}

Status lower_where(LowerContext& context) {
  if (!context.args().has("self"))
    return context.unsupported(
        "where with a condition alone gives as many elements as are true: use nonzero");
  const ValueId condition = TENON_TRY(context.cast(TENON_TRY(context.tensor("condition")), DataType::kBool));
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  return context.finish(Op::kWhere, {condition, p.a, p.b});
}

Status lower_masked_fill(LowerContext& context) {
  const ValueId self = TENON_TRY(context.tensor("self"));
  const ValueId mask = TENON_TRY(context.cast(TENON_TRY(context.tensor("mask")), DataType::kBool));
  const RawOperand value = TENON_TRY(raw_operand(context, "value"));
  const ValueId fill = TENON_TRY(convert(context, value, context.element(self)));
  return context.finish(Op::kWhere, {mask, fill, self});
}

constexpr Handler kHandlers[] = {
    {"aten.eq", lower_equal},
    {"aten.ne", lower_not_equal},
    {"aten.not_equal", lower_not_equal},
    {"aten.lt", lower_compare<Op::kLess>},
    {"aten.less", lower_compare<Op::kLess>},
    {"aten.le", lower_compare<Op::kLessOrEqual>},
    {"aten.less_equal", lower_compare<Op::kLessOrEqual>},
    {"aten.gt", lower_compare<Op::kGreater>},
    {"aten.greater", lower_compare<Op::kGreater>},
    {"aten.ge", lower_compare<Op::kGreaterOrEqual>},
    {"aten.greater_equal", lower_compare<Op::kGreaterOrEqual>},
    {"aten.logical_and", lower_logical<Op::kAnd>},
    {"aten.logical_or", lower_logical<Op::kOr>},
    {"aten.logical_xor", lower_logical<Op::kXor>},
    {"aten.logical_not", lower_logical_not},
    {"aten.bitwise_and", lower_bitwise<Op::kAnd, Op::kBitwiseAnd>},
    {"aten.bitwise_or", lower_bitwise<Op::kOr, Op::kBitwiseOr>},
    {"aten.bitwise_xor", lower_bitwise<Op::kXor, Op::kBitwiseXor>},
    {"aten.__and__", lower_bitwise<Op::kAnd, Op::kBitwiseAnd>},
    {"aten.__or__", lower_bitwise<Op::kOr, Op::kBitwiseOr>},
    {"aten.__xor__", lower_bitwise<Op::kXor, Op::kBitwiseXor>},
    {"aten.bitwise_not", lower_bitwise_not},
    {"aten.bitwise_left_shift", lower_shift},
    {"aten.bitwise_right_shift", lower_shift},
    {"aten.__lshift__", lower_shift},
    {"aten.__rshift__", lower_shift},
    {"aten.where", lower_where},
    {"aten.masked_fill", lower_masked_fill},
};

}  // namespace

std::span<const Handler> comparison_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
