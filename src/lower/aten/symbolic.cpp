// Lowering of sizes and of arithmetic on symbolic scalars. A symbolic integer is an int64 tensor of rank 0 (a
// float a double, a condition a bool), so that the shape rules see through it and constants fold away.
#include "lower/aten/families.h"
#include "lower/aten/sizes.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

Status sym_size(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const int64_t axis = TENON_TRY(axis_argument(context, "dim", TENON_TRY(context.rank(self))));
  const SymInt size = TENON_TRY(context.known_shape(self))[static_cast<size_t>(axis)];
  if (auto known = size.constant()) return context.finish(context.builder().constant(Tensor::scalar(*known)));
  ValueId shape = TENON_TRY(context.add(Op::kShape, {self}));
  ValueId position = context.builder().constant(Tensor::scalar(axis));
  return context.finish(Op::kGather, {shape, position}, {{"axis", int64_t{0}}});
}

Status sym_numel(LowerContext& context) {
  return context.finish(Op::kSize, {TENON_TRY(context.tensor("self"))});
}

// What the node's result is by its kind.
DataType result_type(const LowerContext& context) {
  if (context.node().outputs.empty()) return DataType::kInt64;
  const aten::Argument& output = context.node().outputs[0];
  if (output.get<aten::SymFloatRef>() != nullptr) return DataType::kFloat64;
  if (output.get<aten::SymBoolRef>() != nullptr) return DataType::kBool;
  return DataType::kInt64;
}

// An operand as it is: a value of the program, or a plain number.
Result<ValueId> operand(LowerContext& context, const aten::Argument& argument) {
  if (const auto* reference = argument.get<aten::SymIntRef>())
    return context.lowering().value(reference->name);
  if (const auto* reference = argument.get<aten::SymFloatRef>())
    return context.lowering().value(reference->name);
  if (const auto* reference = argument.get<aten::SymBoolRef>())
    return context.lowering().value(reference->name);
  if (const auto* reference = argument.get<aten::TensorRef>())
    return context.lowering().value(reference->name);
  if (const auto* integer = argument.get<int64_t>())
    return context.builder().constant(Tensor::scalar(*integer));
  if (const auto* real = argument.get<double>()) return context.number(DataType::kFloat64, *real);
  if (const auto* truth = argument.get<bool>()) return context.number(DataType::kBool, *truth ? 1 : 0);
  return context.unsupported(fmt::format("arithmetic on a {}", aten::kind_name(argument)));
}

Result<ValueId> operand_at(LowerContext& context, size_t position) {
  return operand(context, TENON_TRY(context.args().at(position)));
}

// Two operands in their common type: float64 when one is a float, else int64.
struct Pair {
  ValueId a, b;
  bool real;
};
Result<Pair> pair_of(LowerContext& context) {
  ValueId a = TENON_TRY(operand_at(context, 0)), b = TENON_TRY(operand_at(context, 1));
  const bool real = is_float(context.element(a)) || is_float(context.element(b));
  const DataType common = real ? DataType::kFloat64 : DataType::kInt64;
  return Pair{TENON_TRY(context.cast(a, common)), TENON_TRY(context.cast(b, common)), real};
}

template <Op kOp>
Status binary(LowerContext& context) {
  Pair pair = TENON_TRY(pair_of(context));
  return context.finish(kOp, {pair.a, pair.b});
}

bool evidently_nonnegative(LowerContext& context, ValueId id) {
  const GraphValue& value = context.builder().graph().value(id);
  if (value.constant) return load_element<int64_t>(*value.constant, 0) >= 0;
  return value.elements && value.elements->size() == 1 && is_nonnegative((*value.elements)[0]);
}

// Python rounds toward minus infinity, ONNX toward zero: the same for sizes.
Status floordiv(LowerContext& context) {
  Pair pair = TENON_TRY(pair_of(context));
  if (pair.real) {
    ValueId quotient = TENON_TRY(context.add(Op::kDiv, {pair.a, pair.b}));
    return context.finish(context.cast(TENON_TRY(context.add(Op::kFloor, {quotient})), result_type(context)));
  }
  if (evidently_nonnegative(context, pair.a) && evidently_nonnegative(context, pair.b))
    return context.finish(Op::kDiv, {pair.a, pair.b});
  ValueId rest = TENON_TRY(context.add(Op::kMod, {pair.a, pair.b}));
  ValueId whole = TENON_TRY(context.add(Op::kSub, {pair.a, rest}));
  return context.finish(Op::kDiv, {whole, pair.b});
}

Status mod(LowerContext& context) {
  Pair pair = TENON_TRY(pair_of(context));
  if (!pair.real) return context.finish(Op::kMod, {pair.a, pair.b});
  // a - floor(a / b) * b has the sign of b, as in Python.
  ValueId quotient = TENON_TRY(context.add(Op::kFloor, {TENON_TRY(context.add(Op::kDiv, {pair.a, pair.b}))}));
  return context.finish(Op::kSub, {pair.a, TENON_TRY(context.add(Op::kMul, {quotient, pair.b}))});
}

Status truediv(LowerContext& context) {
  ValueId a = TENON_TRY(context.cast(TENON_TRY(operand_at(context, 0)), DataType::kFloat64));
  ValueId b = TENON_TRY(context.cast(TENON_TRY(operand_at(context, 1)), DataType::kFloat64));
  return context.finish(Op::kDiv, {a, b});
}

template <Op kOp>
Status unary(LowerContext& context) {
  ValueId a = TENON_TRY(operand_at(context, 0));
  if (context.element(a) == DataType::kBool) a = TENON_TRY(context.cast(a, DataType::kInt64));
  return context.finish(kOp, {a});
}

// A float made whole by kOp, as an integer.
template <Op kOp>
Status rounding(LowerContext& context) {
  ValueId a = TENON_TRY(operand_at(context, 0));
  if (!is_float(context.element(a))) return context.finish(a);
  return context.finish(context.cast(TENON_TRY(context.add(kOp, {a})), result_type(context)));
}

// Casts: sym_float, and to integers, which cuts the fraction off as int() does.
Status convert(LowerContext& context) {
  return context.finish(context.cast(TENON_TRY(operand_at(context, 0)), result_type(context)));
}

Status sqrt(LowerContext& context) {
  return context.finish(Op::kSqrt,
                        {TENON_TRY(context.cast(TENON_TRY(operand_at(context, 0)), DataType::kFloat64))});
}

Status not_equal(LowerContext& context) {
  Pair pair = TENON_TRY(pair_of(context));
  return context.finish(Op::kNot, {TENON_TRY(context.add(Op::kEqual, {pair.a, pair.b}))});
}

template <Op kOp>
Status logical(LowerContext& context) {
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < context.node().inputs.size(); ++i)
    inputs.push_back(TENON_TRY(context.cast(TENON_TRY(operand_at(context, i)), DataType::kBool)));
  return context.finish(kOp, std::move(inputs));
}

Status choose(LowerContext& context) {
  ValueId condition = TENON_TRY(context.cast(TENON_TRY(operand_at(context, 0)), DataType::kBool));
  ValueId a = TENON_TRY(context.cast(TENON_TRY(operand_at(context, 1)), result_type(context)));
  ValueId b = TENON_TRY(context.cast(TENON_TRY(operand_at(context, 2)), result_type(context)));
  return context.finish(Op::kWhere, {condition, a, b});
}

Status sum(LowerContext& context) {
  aten::Argument list = TENON_TRY(context.args().at(0));
  std::vector<ValueId> terms;
  if (const auto* items = list.get<aten::SymIntList>())
    for (const auto& item : *items) terms.push_back(TENON_TRY(context.int_scalar(item)));
  else if (const auto* numbers = list.get<std::vector<int64_t>>())
    for (int64_t number : *numbers) terms.push_back(context.builder().constant(Tensor::scalar(number)));
  else
    return context.unsupported(fmt::format("the sum of a {}", aten::kind_name(list)));
  if (terms.empty()) return context.finish(context.builder().constant(Tensor::scalar(int64_t{0})));
  ValueId total = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) total = TENON_TRY(context.add(Op::kAdd, {total, terms[i]}));
  return context.finish(total);
}

// The one element of a tensor, as a symbolic scalar.
Status item(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  if (TENON_TRY(context.rank(self)) > 0)
    self = TENON_TRY(context.add(Op::kReshape, {self, context.ints({})}));
  return context.finish(context.cast(self, result_type(context)));
}

constexpr Handler kHandlers[] = {
    {"aten.sym_size.int", sym_size},
    {"aten.sym_numel.default", sym_numel},
    {"aten.item.default", item},
    {"aten._local_scalar_dense.default", item},
    {"_operator.add", binary<Op::kAdd>},
    {"_operator.sub", binary<Op::kSub>},
    {"_operator.mul", binary<Op::kMul>},
    {"_operator.pow", binary<Op::kPow>},
    {"_operator.floordiv", floordiv},
    {"_operator.truediv", truediv},
    {"torch._sym_int_truediv", truediv},
    {"_operator.mod", mod},
    {"_operator.neg", unary<Op::kNeg>},
    {"_operator.abs", unary<Op::kAbs>},
    {"_operator.eq", binary<Op::kEqual>},
    {"_operator.ne", not_equal},
    {"_operator.lt", binary<Op::kLess>},
    {"_operator.le", binary<Op::kLessOrEqual>},
    {"_operator.gt", binary<Op::kGreater>},
    {"_operator.ge", binary<Op::kGreaterOrEqual>},
    {"_operator.and_", logical<Op::kAnd>},
    {"_operator.or_", logical<Op::kOr>},
    {"_operator.not_", logical<Op::kNot>},
    {"math.ceil", rounding<Op::kCeil>},
    {"math.floor", rounding<Op::kFloor>},
    {"math.trunc", convert},
    {"math.sqrt", sqrt},
    {"builtins.round", rounding<Op::kRound>},
    {"builtins.abs", unary<Op::kAbs>},
    {"builtins.int", convert},
    {"builtins.float", convert},
    {"builtins.max", binary<Op::kMax>},
    {"builtins.min", binary<Op::kMin>},
    {"torch.sym_float", convert},
    {"torch.sym_int", convert},
    {"torch.sym_max", binary<Op::kMax>},
    {"torch.sym_min", binary<Op::kMin>},
    {"torch.sym_not", logical<Op::kNot>},
    {"torch.sym_ite", choose},
    {"torch.sym_sum", sum},
    {"torch.sym_sqrt", sqrt},
    {"torch._sym_sqrt", sqrt},
};

}  // namespace

std::span<const Handler> symbolic_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
