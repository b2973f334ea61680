// Losses: a distance of each element, then their mean or sum.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/means.h"

namespace tenon::lower {

namespace {

// `reduction` is 0 for none, 1 for the mean, 2 for the sum.
Status finish_loss(LowerContext& context, ValueId loss) {
  const int64_t reduction = TENON_TRY(context.args().integer("reduction"));
  if (reduction == 0) return context.finish(loss);
  if (TENON_TRY(context.rank(loss)) == 0) return context.finish(loss);
  if (reduction == 1) return context.finish(mean_over(context, loss, {}, false));
  return context.finish(Math(context.builder()).reduce(Op::kReduceSum, loss, {}, false));
}

Result<ValueId> distance(LowerContext& context) {
  const ValueId a = TENON_TRY(context.tensor("self"));
  const ValueId b = TENON_TRY(context.tensor("target"));
  return context.add(Op::kSub, {a, b});
}

Status lower_mse(LowerContext& context) {
  const ValueId d = TENON_TRY(distance(context));
  return finish_loss(context, TENON_TRY(context.add(Op::kMul, {d, d})));
}

Status lower_l1(LowerContext& context) {
  const ValueId d = TENON_TRY(distance(context));
  return finish_loss(context, TENON_TRY(context.add(Op::kAbs, {d})));
}

// A parabola near 0, straight beyond `bend`: d^2 / 2 or bend (|d| - bend / 2), over bend for smooth_l1.
Status lower_bent(LowerContext& context) {
  Math m(context.builder());
  const bool smooth = context.args().op() == "smooth_l1_loss";
  const double bend = TENON_TRY(context.args().number(smooth ? "beta" : "delta"));
  const ValueId d = TENON_TRY(distance(context));
  const ValueId size = TENON_TRY(context.add(Op::kAbs, {d}));
  if (bend == 0) return finish_loss(context, size);
  const double scale = smooth ? 1 / bend : 1;
  const ValueId square = TENON_TRY(m.mul(d, d));
  const ValueId near = TENON_TRY(m.mul(square, m.number(d, 0.5 * scale)));
  const ValueId beyond = TENON_TRY(m.sub(size, m.number(d, bend / 2)));
  const ValueId far = TENON_TRY(m.mul(beyond, m.number(d, bend * scale)));
  const ValueId is_near = TENON_TRY(context.add(Op::kLess, {size, m.number(d, bend)}));
  return finish_loss(context, TENON_TRY(m.where(is_near, near, far)));
}

Result<ValueId> weighted(LowerContext& context, ValueId loss) {
  const ValueId weight = TENON_TRY(context.optional_tensor("weight"));
  return weight == kNoValue ? Result<ValueId>(loss) : context.add(Op::kMul, {loss, weight});
}

// -(t log p + (1 - t) log(1 - p)), logarithms no less than -100.
Status lower_bce(LowerContext& context) {
  Math m(context.builder());
  const ValueId p = TENON_TRY(context.tensor("self"));
  const ValueId t = TENON_TRY(context.tensor("target"));
  auto bounded_log = [&](ValueId x) -> Result<ValueId> {
    const ValueId log = TENON_TRY(context.add(Op::kLog, {x}));
    return context.add(Op::kMax, {log, m.number(x, -100)});
  };
  const ValueId yes = TENON_TRY(m.mul(t, TENON_TRY(bounded_log(p))));
  const ValueId rest = TENON_TRY(m.sub(m.number(p, 1), p));
  const ValueId no = TENON_TRY(m.mul(TENON_TRY(m.sub(m.number(t, 1), t)), TENON_TRY(bounded_log(rest))));
  const ValueId sum = TENON_TRY(m.add(yes, no));
  const ValueId loss = TENON_TRY(context.add(Op::kNeg, {sum}));
  return finish_loss(context, TENON_TRY(weighted(context, loss)));
}

// (1 - t) x + w log(1 + exp(-x)) with w = 1 + (pos_weight - 1) t, written so that exp does not overflow:
// log(1 + exp(-x)) = max(-x, 0) + log(1 + exp(-|x|)).
Status lower_bce_with_logits(LowerContext& context) {
  Math m(context.builder());
  const ValueId x = TENON_TRY(context.tensor("self"));
  const ValueId t = TENON_TRY(context.tensor("target"));
  const ValueId positive = TENON_TRY(context.optional_tensor("pos_weight"));
  const ValueId one = m.number(x, 1);
  const ValueId softplus = TENON_TRY(context.add(Op::kSoftplus, {TENON_TRY(context.add(Op::kNeg, {x}))}));
  ValueId curve = softplus;
  if (positive != kNoValue) {
    const ValueId extra = TENON_TRY(m.mul(TENON_TRY(m.sub(positive, one)), t));
    curve = TENON_TRY(m.mul(softplus, TENON_TRY(m.add(extra, one))));
  }
  const ValueId line = TENON_TRY(m.mul(TENON_TRY(m.sub(one, t)), x));
  const ValueId loss = TENON_TRY(m.add(line, curve));
  return finish_loss(context, TENON_TRY(weighted(context, loss)));
}

constexpr Handler kHandlers[] = {
    {"aten.mse_loss.default", lower_mse},
    {"aten.l1_loss.default", lower_l1},
    {"aten.smooth_l1_loss.default", lower_bent},
    {"aten.huber_loss.default", lower_bent},
    {"aten.binary_cross_entropy.default", lower_bce},
    {"aten.binary_cross_entropy_with_logits.default", lower_bce_with_logits},
};

}  // namespace

std::span<const Handler> loss_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
