// Sizes and arithmetic on symbolic scalars. A symbolic integer is an int64 tensor of rank 0, so that the
// shape rules see through it and constants fold away.
#include "lower/aten/families.h"

namespace tenon::lower {

namespace {

Status lower_sym_size(LowerContext& context) {
  ValueId self = TENON_TRY(context.tensor("self"));
  int64_t axis =
      TENON_TRY(ops::normalize_axis(TENON_TRY(context.args().integer("dim")), TENON_TRY(context.rank(self))));
  const SymInt size = TENON_TRY(context.known_shape(self))
  [static_cast<size_t>(axis)];
  if (auto known = size.constant()) return context.finish(context.builder().constant(Tensor::scalar(*known)));
  ValueId shape = TENON_TRY(context.add(Op::kShape, {self}));
  ValueId position = context.builder().constant(Tensor::scalar(axis));
  return context.finish(Op::kGather, {shape, position}, {{"axis", int64_t{0}}});
}

constexpr Handler kHandlers[] = {
    {"aten.sym_size.int", lower_sym_size},
};

}  // namespace

std::span<const Handler> symbolic_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
