#include <algorithm>

#include "ops/binary/binary.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

std::optional<SymInt> divide(const SymInt& a, const SymInt& b) {
  const auto x = a.constant();
  const auto y = b.constant();
  if (y && *y == 0) return std::nullopt;
  if (x && y) return *y == -1 ? SymInt(0) - a : SymInt(*x / *y);
  if (const auto exact = exact_div(a, b)) return exact;
  // Sizes are not negative, so that truncating is rounding down.
  return floor_div(a, b);
}

// Calls `fold` on matching elements of all inputs (rank 0 or 1, broadcast); nullopt when some are unknown.
template <class Fold>
std::optional<std::vector<SymInt>> fold_elements(const InferContext& context, const Fold& fold) {
  std::optional<std::vector<SymInt>> result;
  for (size_t i = 0; i < context.input_count(); ++i) {
    auto next = context.elements(i);
    if (!next) return std::nullopt;
    if (!result) {
      result = std::move(next);
      continue;
    }
    const size_t size = result->size() == 1 ? next->size() : result->size();
    if (next->size() != size && next->size() != 1) return std::nullopt;
    std::vector<SymInt> folded;
    for (size_t k = 0; k < size; ++k) {
      const auto value = fold((*result)[result->size() == 1 ? 0 : k], (*next)[next->size() == 1 ? 0 : k]);
      if (!value) return std::nullopt;
      folded.push_back(*value);
    }
    result = std::move(folded);
  }
  return result;
}

// Whether the output is a tensor whose elements are tracked.
bool tracks_output(InferContext& context) {
  const auto& shape = context.outputs()[0].type.shape;
  return shape && shape->size() <= 1;
}

}  // namespace

std::optional<SymInt> fold_symbolic(const Node& node, const SymInt& a, const SymInt& b) {
  switch (node.op) {
    case Op::kAdd:
    case Op::kSum:
      return a + b;
    case Op::kSub:
      return a - b;
    case Op::kMul:
      return a * b;
    case Op::kDiv:
      return divide(a, b);
    case Op::kMod: {
      if (b.is(0)) return std::nullopt;
      const auto x = a.constant();
      const auto y = b.constant();
      if (node.attributes.integer("fmod", 0) == 0) return mod(a, b);
      if (x && y) return *y == -1 ? SymInt(0) : SymInt(*x % *y);
      return mod(a, b);
    }
    case Op::kMin:
      return min(a, b);
    case Op::kMax:
      return max(a, b);
    default:
      return std::nullopt;
  }
}

Status infer_arithmetic(InferContext& context) {
  TENON_TRY(infer_broadcast(context));
  if (!is_integer(context.element(0)) || !tracks_output(context)) return {};
  auto elements = fold_elements(
      context, [&](const SymInt& a, const SymInt& b) { return fold_symbolic(context.node(), a, b); });
  if (elements) context.set_elements(0, std::move(*elements));
  return {};
}

Status infer_comparison(InferContext& context) {
  TENON_TRY(infer_broadcast_bool(context));
  if (!is_integer(context.element(0)) || !tracks_output(context)) return {};
  auto compare = [&](const SymInt& a, const SymInt& b) -> std::optional<SymInt> {
    const auto difference = (a - b).constant();
    if (!difference) return std::nullopt;
    switch (context.node().op) {
      case Op::kEqual:
        return *difference == 0 ? 1 : 0;
      case Op::kLess:
        return *difference < 0 ? 1 : 0;
      case Op::kLessOrEqual:
        return *difference <= 0 ? 1 : 0;
      case Op::kGreater:
        return *difference > 0 ? 1 : 0;
      default:
        return *difference >= 0 ? 1 : 0;
    }
  };
  auto elements = fold_elements(context, compare);
  if (elements) context.set_elements(0, std::move(*elements));
  return {};
}

Status infer_prelu(InferContext& context) {
  TENON_TRY(infer_same_as_first(context));
  const SymShape* x = context.shape(0);
  const SymShape* slope = context.shape(1);
  if (x == nullptr || slope == nullptr) return {};
  const SymShape joined = TENON_TRY(broadcast(*x, *slope));
  if (joined.size() != x->size())
    return fail(ErrorCode::kInvalidModel, "slope {} does not broadcast to {}", to_string(*slope),
                to_string(*x));
  return {};
}

}  // namespace tenon::ops
