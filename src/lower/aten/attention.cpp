// Scaled dot-product attention, by its definition in torch.nn.functional: softmax(q k^T * scale + mask) v.
#include <cmath>
#include <limits>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

// True where a query may look at a key: at those up to its own position.
Result<ValueId> causal_mask(LowerContext& context, ValueId q, ValueId k) {
  const int64_t rank = TENON_TRY(context.rank(q));
  const Size queries = TENON_TRY(size_of(context, q, rank - 2));
  const Size keys = TENON_TRY(size_of(context, k, TENON_TRY(context.rank(k)) - 2));
  if (queries.is_number() && keys.is_number()) {
    Tensor mask = Tensor::allocate(DataType::kBool, {queries.number, keys.number});
    for (int64_t i = 0; i < queries.number; ++i)
      for (int64_t j = 0; j < keys.number; ++j) mask.mutable_data<bool>()[i * keys.number + j] = j <= i;
    return context.builder().constant(std::move(mask));
  }
  auto positions = [&](const Size& size) -> Result<ValueId> {
    const ValueId count = TENON_TRY(size_scalar(context, size));
    return context.add(Op::kRange,
                       {context.number(DataType::kInt64, 0), count, context.number(DataType::kInt64, 1)});
  };
  const ValueId rows = TENON_TRY(unsqueeze(context, TENON_TRY(positions(queries)), {1}));
  return context.add(Op::kGreaterOrEqual, {rows, TENON_TRY(positions(keys))});
}

// Each head of a key or value as often as queries share it: [.., heads, length, width], heads repeated.
Result<ValueId> shared_heads(LowerContext& context, ValueId x, ValueId q) {
  const SymShape shape = TENON_TRY(context.known_shape(x));
  const SymShape q_shape = TENON_TRY(context.known_shape(q));
  if (shape.size() < 3 || q_shape.size() != shape.size())
    return context.unsupported("grouped attention without an axis of heads");
  const size_t axis = shape.size() - 3;
  const auto heads = shape[axis].constant(), wanted = q_shape[axis].constant();
  if (!heads || !wanted || *heads == 0 || *wanted % *heads != 0)
    return context.unsupported("grouped attention over numbers of heads that do not divide");
  if (*heads == *wanted) return x;
  std::vector<Size> sizes = TENON_TRY(sizes_of(context, x));
  std::vector<Size> repeated = sizes;
  repeated.insert(repeated.begin() + static_cast<std::ptrdiff_t>(axis) + 1, Size(*wanted / *heads));
  sizes[axis] = *wanted;
  const ValueId apart = TENON_TRY(unsqueeze(context, x, {static_cast<int64_t>(axis) + 1}));
  return reshape(context, TENON_TRY(expand(context, apart, repeated)), sizes);
}

Status lower_attention(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  Math m(context.builder());
  const ValueId q = TENON_TRY(context.tensor("query"));
  ValueId k = TENON_TRY(context.tensor("key"));
  ValueId v = TENON_TRY(context.tensor("value"));
  if (TENON_TRY(args.boolean("enable_gqa"))) {
    k = TENON_TRY(shared_heads(context, k, q));
    v = TENON_TRY(shared_heads(context, v, q));
  }
  if (TENON_TRY(args.number("dropout_p")) != 0)
    return context.unsupported("attention with dropout; call model.eval() before the export");
  const SymShape q_shape = TENON_TRY(context.known_shape(q)), k_shape = TENON_TRY(context.known_shape(k));
  const auto width = q_shape.back().constant();
  if (!width) return context.unsupported("attention over heads of dynamic width");
  const double scale =
      TENON_TRY(args.optional_number("scale")).value_or(1 / std::sqrt(static_cast<double>(*width)));

  std::vector<int64_t> turned(k_shape.size());
  for (size_t i = 0; i < turned.size(); ++i) turned[i] = static_cast<int64_t>(i);
  std::swap(turned[turned.size() - 1], turned[turned.size() - 2]);
  const ValueId scaled = TENON_TRY(m.mul(q, m.number(q, scale)));
  ValueId scores = TENON_TRY(context.add(Op::kMatMul, {scaled, TENON_TRY(permute(context, k, turned))}));

  ValueId mask = TENON_TRY(context.optional_tensor("attn_mask"));
  if (TENON_TRY(args.boolean("is_causal"))) mask = TENON_TRY(causal_mask(context, q, k));
  const ValueId nothing = m.number(scores, -std::numeric_limits<double>::infinity());
  if (mask != kNoValue && context.element(mask) == DataType::kBool)
    scores = TENON_TRY(m.where(mask, scores, nothing));
  else if (mask != kNoValue)
    scores = TENON_TRY(m.add(scores, mask));
  ValueId weights = TENON_TRY(context.add(Op::kSoftmax, {scores}, {{"axis", int64_t{-1}}}));
  if (mask != kNoValue) {  // a query that may look at nothing gets zeros
    const ValueId best = TENON_TRY(m.reduce(Op::kReduceMax, scores, {-1}, true));
    const ValueId blind = TENON_TRY(context.add(Op::kEqual, {best, nothing}));
    weights = TENON_TRY(m.where(blind, m.number(weights, 0), weights));
  }
  return context.finish(Op::kMatMul, {weights, v});
}

constexpr Handler kHandlers[] = {{"aten.scaled_dot_product_attention.default", lower_attention}};

}  // namespace

std::span<const Handler> attention_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
