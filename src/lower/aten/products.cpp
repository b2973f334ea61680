// Matrix products: linear layers, matmul and its kin, einsum; weights that are scaled to a norm.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

// x @ weight^T + bias. Of two dimensions it is one Gemm; the weight stays as PyTorch has it.
Status lower_linear(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("input"));
  const ValueId weight = TENON_TRY(context.tensor("weight"));
  const ValueId bias = TENON_TRY(context.optional_tensor("bias"));
  if (TENON_TRY(context.rank(x)) == 2 && TENON_TRY(context.rank(weight)) == 2) {
    std::vector<ValueId> inputs{x, weight};
    if (bias != kNoValue) inputs.push_back(bias);
    return context.finish(Op::kGemm, std::move(inputs), {{"transB", int64_t{1}}});
  }
  const int64_t weight_rank = TENON_TRY(context.rank(weight));
  ValueId turned = weight;
  if (weight_rank == 2) turned = TENON_TRY(permute(context, weight, {1, 0}));
  ValueId y = TENON_TRY(context.add(Op::kMatMul, {x, turned}));
  if (bias != kNoValue) y = TENON_TRY(context.add(Op::kAdd, {y, bias}));
  return context.finish(y);
}

Status lower_matmul(LowerContext& context) {
  const bool second_named_other = context.args().has("other");
  return context.finish(Op::kMatMul, {TENON_TRY(context.tensor("self")),
                                      TENON_TRY(context.tensor(second_named_other ? "other" : "mat2"))});
}

Status lower_mv(LowerContext& context) {
  return context.finish(Op::kMatMul, {TENON_TRY(context.tensor("self")), TENON_TRY(context.tensor("vec"))});
}

Status lower_dot(LowerContext& context) {
  return context.finish(Op::kMatMul,
                        {TENON_TRY(context.tensor("self")), TENON_TRY(context.tensor("tensor"))});
}

// The dot product of real vectors: nothing is conjugated.
Status lower_vdot(LowerContext& context) {
  const ValueId a = TENON_TRY(context.tensor("self")), b = TENON_TRY(context.tensor("other"));
  return context.finish(Op::kMatMul, {a, b});
}

// beta * self + alpha * (a @ b)
Status add_product(LowerContext& context, std::string_view first, std::string_view second) {
  const ValueId self = TENON_TRY(context.tensor("self"));
  const double beta = TENON_TRY(context.args().number("beta"));
  const double alpha = TENON_TRY(context.args().number("alpha"));
  Math m(context.builder());
  ValueId product = TENON_TRY(
      context.add(Op::kMatMul, {TENON_TRY(context.tensor(first)), TENON_TRY(context.tensor(second))}));
  if (alpha != 1) product = TENON_TRY(m.mul(product, m.number(product, alpha)));
  if (beta == 0) return context.finish(product);
  ValueId scaled = self;
  if (beta != 1) scaled = TENON_TRY(m.mul(self, m.number(self, beta)));
  return context.finish(m.add(product, scaled));
}

Status lower_addmm(LowerContext& context) {
  const double beta = TENON_TRY(context.args().number("beta"));
  const double alpha = TENON_TRY(context.args().number("alpha"));
  const ValueId self = TENON_TRY(context.tensor("self"));
  if (beta == 0 || TENON_TRY(context.rank(self)) > 2) return add_product(context, "mat1", "mat2");
  return context.finish(Op::kGemm,
                        {TENON_TRY(context.tensor("mat1")), TENON_TRY(context.tensor("mat2")), self},
                        {{"alpha", static_cast<float>(alpha)}, {"beta", static_cast<float>(beta)}});
}

Status lower_baddbmm(LowerContext& context) {
  return add_product(context, "batch1", "batch2");
}

Status lower_einsum(LowerContext& context) {
  return context.finish(Op::kEinsum, TENON_TRY(context.tensors("tensors")),
                        {{"equation", TENON_TRY(context.args().string("equation"))}});
}

// y[.., o] = sum over i and j of x1[.., i] * weight[o, i, j] * x2[.., j], plus the bias.
Status lower_bilinear(LowerContext& context) {
  const std::vector<ValueId> inputs{TENON_TRY(context.tensor("input1")), TENON_TRY(context.tensor("weight")),
                                    TENON_TRY(context.tensor("input2"))};
  const ValueId y =
      TENON_TRY(context.add(Op::kEinsum, inputs, {{"equation", std::string("...i,oij,...j->...o")}}));
  const ValueId bias = TENON_TRY(context.optional_tensor("bias"));
  return context.finish(bias == kNoValue ? Result<ValueId>(y) : Math(context.builder()).add(y, bias));
}

// What bilinear decomposes to: the operands get axes of 1, their product is summed over axes.
Status lower_trilinear(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  Math m(context.builder());
  ValueId product = kNoValue;
  for (const auto& [operand, axes] : {std::pair{"i1", "expand1"}, {"i2", "expand2"}, {"i3", "expand3"}}) {
    const ValueId x =
        TENON_TRY(unsqueeze(context, TENON_TRY(context.tensor(operand)), TENON_TRY(args.integers(axes))));
    product = product == kNoValue ? x : TENON_TRY(m.mul(product, x));
  }
  return context.finish(m.reduce(Op::kReduceSum, product, TENON_TRY(args.integers("sumdim")), false));
}

// v * (g / |v|), the norm over all dimensions but `dim` (over all for -1).
Status lower_weight_norm(LowerContext& context) {
  const ValueId v = TENON_TRY(context.tensor("v"));
  const int64_t kept = TENON_TRY(context.args().integer("dim")), rank = TENON_TRY(context.rank(v));
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != kept) axes.push_back(axis);
  Math m(context.builder());
  const ValueId norm = TENON_TRY(m.reduce(Op::kReduceL2, v, axes, true));
  return context.finish(m.mul(v, TENON_TRY(m.div(TENON_TRY(context.tensor("g")), norm))));
}

constexpr Handler kHandlers[] = {
    {"aten.linear.default", lower_linear},
    {"aten.matmul.default", lower_matmul},
    {"aten.mm.default", lower_matmul},
    {"aten.bmm.default", lower_matmul},
    {"aten.mv.default", lower_mv},
    {"aten.dot.default", lower_dot},
    {"aten.addmm.default", lower_addmm},
    {"aten.baddbmm.default", lower_baddbmm},
    {"aten.einsum.default", lower_einsum},
    {"aten.bilinear.default", lower_bilinear},
    {"aten.vdot.default", lower_vdot},
    {"aten._weight_norm.default", lower_weight_norm},
    {"aten._trilinear.default", lower_trilinear},
};

}  // namespace

std::span<const Handler> product_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
