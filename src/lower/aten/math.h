// Math: short forms for building arithmetic out of canonical nodes. What lowering says with it reads like the
// formula: m.mul(x, m.sigmoid(x)).
#pragma once

#include <vector>

#include "lower/aten/type_promotion.h"
#include "ops/core/builder.h"

namespace tenon::lower {

class Math {
 public:
  explicit Math(ops::GraphBuilder& builder) : b_(builder) {}

  ops::GraphBuilder& builder() { return b_; }
  DataType type(ValueId x) const { return b_.element(x); }
  /// The rank, or kUnsupported when it is not known.
  Result<int64_t> rank(ValueId x) const;
  /// How the type rules see a value.
  aten::Operand operand(ValueId x) const;

  Result<ValueId> add_node(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return b_.add(op, std::move(inputs), std::move(attributes));
  }
  Result<ValueId> add(ValueId a, ValueId b) { return b_.add(Op::kAdd, {a, b}); }
  Result<ValueId> sub(ValueId a, ValueId b) { return b_.add(Op::kSub, {a, b}); }
  Result<ValueId> mul(ValueId a, ValueId b) { return b_.add(Op::kMul, {a, b}); }
  Result<ValueId> div(ValueId a, ValueId b) { return b_.add(Op::kDiv, {a, b}); }
  Result<ValueId> where(ValueId condition, ValueId a, ValueId b) {
    return b_.add(Op::kWhere, {condition, a, b});
  }

  /// A scalar constant of the type of `like`.
  ValueId number(ValueId like, double value) { return b_.constant_scalar(b_.element(like), value); }
  /// `x` as `type`; `x` itself when it has that type.
  Result<ValueId> cast(ValueId x, DataType type);
  /// `x` as a real number: integers and bools become float32.
  Result<ValueId> real(ValueId x) { return cast(x, aten::real_type(type(x))); }
  /// True where `x` is not zero.
  Result<ValueId> truth(ValueId x) { return cast(x, DataType::kBool); }

  /// Rounds toward zero.
  Result<ValueId> trunc(ValueId x);
  /// The remainder of floor division (the sign of b), of the truncating one (the sign of a), and floor
  /// division, all exact. Operands of one type.
  Result<ValueId> remainder(ValueId a, ValueId b);
  Result<ValueId> fmod(ValueId a, ValueId b) { return b_.add(Op::kMod, {a, b}, {{"fmod", int64_t{1}}}); }
  Result<ValueId> floor_divide(ValueId a, ValueId b);

  /// log(exp(a) + exp(b)) without overflow, for equal infinities too.
  Result<ValueId> log_add(ValueId a, ValueId b);

  /// A Reduce operator over `axes` (all when empty).
  Result<ValueId> reduce(Op op, ValueId x, const std::vector<int64_t>& axes, bool keepdim);
  /// The number of elements along `axes` of x (all when empty), as a scalar of `type`: a constant when the
  /// shape is known.
  Result<ValueId> count(ValueId x, const std::vector<int64_t>& axes, DataType type);
  /// x under another constant shape; -1 is inferred, 0 kept.
  Result<ValueId> reshape(ValueId x, const std::vector<int64_t>& shape);

 private:
  ops::GraphBuilder& b_;
};

}  // namespace tenon::lower
