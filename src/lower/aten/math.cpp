#include "lower/aten/math.h"

#include "tensor/element.h"

namespace tenon::lower {

Result<int64_t> Math::rank(ValueId x) const {
  const SymShape* shape = b_.shape(x);
  if (shape == nullptr)
    return fail(ErrorCode::kUnsupported, "the rank of '{}' is not known", b_.graph().value(x).name);
  return static_cast<int64_t>(shape->size());
}

aten::Operand Math::operand(ValueId x) const {
  const SymShape* shape = b_.shape(x);
  const bool zero_dim = shape != nullptr && shape->empty();
  return {b_.element(x), zero_dim ? aten::Operand::Rank::kZeroDim : aten::Operand::Rank::kTensor};
}

Result<ValueId> Math::cast(ValueId x, DataType to) {
  if (type(x) == to) return x;
  return b_.add(Op::kCast, {x}, {{"to", static_cast<int64_t>(to)}});
}

Result<ValueId> Math::trunc(ValueId x) {
  const ValueId negative = TENON_TRY(add_node(Op::kLess, {x, number(x, 0)}));
  const ValueId up = TENON_TRY(add_node(Op::kCeil, {x}));
  const ValueId down = TENON_TRY(add_node(Op::kFloor, {x}));
  return where(negative, up, down);
}

// ONNX's Mod takes the divisor's sign for real numbers since opset 28 only; from fmod it is at every opset.
Result<ValueId> Math::remainder(ValueId a, ValueId b) {
  if (!is_float(type(a))) return b_.add(Op::kMod, {a, b});
  const ValueId rest = TENON_TRY(fmod(a, b));
  const ValueId zero = number(a, 0);
  const ValueId exact = TENON_TRY(add_node(Op::kEqual, {rest, zero}));
  const ValueId rest_negative = TENON_TRY(add_node(Op::kLess, {rest, zero}));
  const ValueId divisor_negative = TENON_TRY(add_node(Op::kLess, {b, zero}));
  const ValueId differ = TENON_TRY(add_node(Op::kXor, {rest_negative, divisor_negative}));
  const ValueId inexact = TENON_TRY(add_node(Op::kNot, {exact}));
  const ValueId adjust = TENON_TRY(add_node(Op::kAnd, {differ, inexact}));
  return where(adjust, TENON_TRY(add(rest, b)), rest);
}

Result<ValueId> Math::floor_divide(ValueId a, ValueId b) {
  const ValueId rest = TENON_TRY(remainder(a, b));
  const ValueId quotient = TENON_TRY(div(TENON_TRY(sub(a, rest)), b));
  if (!is_float(type(a))) return quotient;
  return add_node(Op::kRound, {quotient});
}

// max(a, b) + log(1 + exp(-|a - b|)); equal infinities have no distance.
Result<ValueId> Math::log_add(ValueId a, ValueId b) {
  const ValueId same = TENON_TRY(add_node(Op::kEqual, {a, b}));
  const ValueId difference = TENON_TRY(where(same, number(a, 0), TENON_TRY(sub(a, b))));
  const ValueId distance = TENON_TRY(add_node(Op::kAbs, {difference}));
  const ValueId opposite = TENON_TRY(add_node(Op::kNeg, {distance}));
  const ValueId tail = TENON_TRY(add_node(Op::kSoftplus, {opposite}));
  return add(TENON_TRY(add_node(Op::kMax, {a, b})), tail);
}

Result<ValueId> Math::reduce(Op op, ValueId x, const std::vector<int64_t>& axes, bool keepdim) {
  std::vector<ValueId> inputs{x};
  if (!axes.empty()) inputs.push_back(b_.constant_ints(axes));
  return b_.add(op, std::move(inputs), {{"keepdims", int64_t{keepdim}}});
}

Result<ValueId> Math::count(ValueId x, const std::vector<int64_t>& axes, DataType count_type) {
  if (const SymShape* shape = b_.shape(x)) {
    const auto size = static_cast<int64_t>(shape->size());
    SymInt product = 1;
    if (axes.empty()) product = element_count(*shape);
    for (int64_t axis : axes)
      product *= (*shape)[static_cast<size_t>(TENON_TRY(ops::normalize_axis(axis, size)))];
    if (const auto known = product.constant())
      return b_.constant_scalar(count_type, static_cast<double>(*known));
  }
  if (axes.empty()) return cast(TENON_TRY(add_node(Op::kSize, {x})), count_type);
  const ValueId sizes = TENON_TRY(add_node(Op::kShape, {x}));
  const ValueId chosen = TENON_TRY(add_node(Op::kGather, {sizes, b_.constant_ints(axes)}));
  return cast(TENON_TRY(reduce(Op::kReduceProd, chosen, {0}, false)), count_type);
}

Result<ValueId> Math::reshape(ValueId x, const std::vector<int64_t>& shape) {
  return b_.add(Op::kReshape, {x, b_.constant_ints(shape)});
}

}  // namespace tenon::lower
