// Products of vectors and matrices beyond the plain matrix product: outer, inner and cross products, products
// that are added to a tensor, contractions.
#include "lower/aten/families.h"
#include "lower/aten/operands.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

Result<ValueId> outer_product(LowerContext& context, ValueId a, ValueId b) {
  const ValueId column = TENON_TRY(unsqueeze(context, a, {1}));
  const ValueId row = TENON_TRY(unsqueeze(context, b, {0}));
  return context.add(Op::kMul, {column, row});
}

Status lower_outer(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "vec2"));
  return context.finish(outer_product(context, p.a, p.b));
}

// True when a Python number argument has this value.
Result<bool> is_number(LowerContext& context, std::string_view name, int64_t value) {
  const aten::Number number = TENON_TRY(context.args().scalar(name));
  if (const auto* whole = std::get_if<int64_t>(&number)) return *whole == value;
  if (const auto* real = std::get_if<double>(&number)) return *real == static_cast<double>(value);
  return false;
}

// beta * self + alpha * product; a beta of 0 leaves self out, NaN or not.
Status finish_sum(LowerContext& context, ValueId product) {
  ValueId self = TENON_TRY(context.tensor("self"));
  const DataType type = context.element(product);
  if (!TENON_TRY(is_number(context, "alpha", 1))) {
    const ValueId alpha = TENON_TRY(context.scalar("alpha", type));
    product = TENON_TRY(context.add(Op::kMul, {product, alpha}));
  }
  if (TENON_TRY(is_number(context, "beta", 0))) return context.finish(expand_like(context, product, product));
  if (!TENON_TRY(is_number(context, "beta", 1))) {
    const ValueId beta = TENON_TRY(context.scalar("beta", type));
    self = TENON_TRY(context.add(Op::kMul, {self, beta}));
  }
  return context.finish(Op::kAdd, {self, product});
}

Status lower_addmv(LowerContext& context) {
  const ValueId matrix = TENON_TRY(context.tensor("mat"));
  const ValueId vector = TENON_TRY(context.tensor("vec"));
  return finish_sum(context, TENON_TRY(context.add(Op::kMatMul, {matrix, vector})));
}

Status lower_addr(LowerContext& context) {
  const ValueId a = TENON_TRY(context.tensor("vec1"));
  const ValueId b = TENON_TRY(context.tensor("vec2"));
  return finish_sum(context, TENON_TRY(outer_product(context, a, b)));
}

// The sum of a batch of products.
Status lower_addbmm(LowerContext& context) {
  const ValueId a = TENON_TRY(context.tensor("batch1"));
  const ValueId b = TENON_TRY(context.tensor("batch2"));
  const ValueId products = TENON_TRY(context.add(Op::kMatMul, {a, b}));
  return finish_sum(context, TENON_TRY(Math(context.builder()).reduce(Op::kReduceSum, products, {0}, false)));
}

// One letter a dimension, from `first` on.
std::string letters(int64_t count, char first) {
  std::string text;
  for (int64_t i = 0; i < count; ++i) text += static_cast<char>(first + i);
  return text;
}

// Contracts dimensions of two tensors with each other: the others stay, in order.
Result<ValueId> contract(LowerContext& context, ValueId a, ValueId b, const std::vector<int64_t>& of_a,
                         const std::vector<int64_t>& of_b) {
  const int64_t rank_a = TENON_TRY(context.rank(a));
  const int64_t rank_b = TENON_TRY(context.rank(b));
  if (rank_a > 20 || rank_b > 20 || of_a.size() != of_b.size())
    return context.unsupported("a contraction of these dimensions");
  const std::string names_a = letters(rank_a, 'a');
  std::string names_b = letters(rank_b, 'A'), kept_a = names_a, kept_b = names_b;
  for (size_t i = 0; i < of_a.size(); ++i) {
    const auto in_a = static_cast<size_t>(TENON_TRY(ops::normalize_axis(of_a[i], rank_a)));
    const auto in_b = static_cast<size_t>(TENON_TRY(ops::normalize_axis(of_b[i], rank_b)));
    std::erase(kept_a, names_a[in_a]);
    std::erase(kept_b, names_b[in_b]);
    names_b[in_b] = names_a[in_a];
  }
  return context.add(Op::kEinsum, {a, b}, {{"equation", names_a + "," + names_b + "->" + kept_a + kept_b}});
}

Status lower_tensordot(LowerContext& context) {
  const ValueId a = TENON_TRY(context.tensor("self"));
  const ValueId b = TENON_TRY(context.tensor("other"));
  const std::vector<int64_t> of_a = TENON_TRY(context.args().integers("dims_self"));
  return context.finish(contract(context, a, b, of_a, TENON_TRY(context.args().integers("dims_other"))));
}

// The last dimensions are summed over; a scalar only multiplies.
Status lower_inner(LowerContext& context) {
  const ValueId a = TENON_TRY(context.tensor("self"));
  const ValueId b = TENON_TRY(context.tensor("other"));
  if (TENON_TRY(context.rank(a)) == 0 || TENON_TRY(context.rank(b)) == 0)
    return context.finish(Op::kMul, {a, b});
  return context.finish(contract(context, a, b, {-1}, {-1}));
}

// c[i] = a[i + 1] * b[i + 2] - a[i + 2] * b[i + 1], indices modulo 3.
Status lower_cross(LowerContext& context) {
  const Pair p = TENON_TRY(operands(context, "self", "other"));
  const SymShape shape = TENON_TRY(context.known_shape(p.a));
  std::optional<int64_t> dim = TENON_TRY(context.args().optional_integer("dim"));
  for (size_t i = 0; !dim && i < shape.size(); ++i)
    if (shape[i].is(3)) dim = static_cast<int64_t>(i);
  if (!dim) return context.unsupported("a cross product without a dimension of three");
  // Counted from the end: the operands may broadcast.
  const int64_t axis = *dim < 0 ? *dim : *dim - static_cast<int64_t>(shape.size());
  auto turned = [&](ValueId x, int64_t by) {
    return context.add(Op::kGather, {x, context.ints({by, (by + 1) % 3, (by + 2) % 3})}, {{"axis", axis}});
  };
  const ValueId a1 = TENON_TRY(turned(p.a, 1));
  const ValueId a2 = TENON_TRY(turned(p.a, 2));
  const ValueId b1 = TENON_TRY(turned(p.b, 1));
  const ValueId b2 = TENON_TRY(turned(p.b, 2));
  const ValueId plus = TENON_TRY(context.add(Op::kMul, {a1, b2}));
  const ValueId minus = TENON_TRY(context.add(Op::kMul, {a2, b1}));
  return context.finish(Op::kSub, {plus, minus});
}

// Sums a * b over one dimension.
Status lower_vecdot(LowerContext& context) {
  const ValueId a = TENON_TRY(context.tensor("x"));
  const ValueId b = TENON_TRY(context.tensor("y"));
  const ValueId product = TENON_TRY(context.add(Op::kMul, {a, b}));
  const int64_t dim = TENON_TRY(context.args().integer("dim"));
  return context.finish(Math(context.builder()).reduce(Op::kReduceSum, product, {dim}, false));
}

Status lower_multi_dot(LowerContext& context) {
  const std::vector<ValueId> tensors = TENON_TRY(context.tensors("tensors"));
  if (tensors.empty()) return context.unsupported("a product of no matrices");
  ValueId product = tensors[0];
  for (size_t i = 1; i < tensors.size(); ++i)
    product = TENON_TRY(context.add(Op::kMatMul, {product, tensors[i]}));
  return context.finish(product);
}

constexpr Handler kHandlers[] = {
    {"aten.outer.default", lower_outer},
    {"aten.ger.default", lower_outer},
    {"aten.addmv.default", lower_addmv},
    {"aten.addr.default", lower_addr},
    {"aten.addbmm.default", lower_addbmm},
    {"aten.tensordot.default", lower_tensordot},
    {"aten.inner.default", lower_inner},
    {"aten.cross.default", lower_cross},
    {"aten.linalg_cross.default", lower_cross},
    {"aten.linalg_vecdot.default", lower_vecdot},
    {"aten.linalg_multi_dot.default", lower_multi_dot},
};

}  // namespace

std::span<const Handler> linear_algebra_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
