// MatMul (https://onnx.ai/onnx/operators/onnx__MatMul.html): numpy.matmul. Versions 1, 9 and 13 differ in
// types only.
#include "ops/matmul/matmul.h"

#include "ops/core/op_def.h"
#include "ops/matmul/kernels.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape *a = context.shape(0), *b = context.shape(1);
  if (a && b)
    context.set_output(0, context.element(0), TENON_TRY(matmul_shape(*a, *b)));
  else
    context.set_output(0, context.element(0));
  return {};
}

template <class T>
Status compute(KernelContext& context) {
  const Tensor &a = context.input(0), &b = context.input(1);
  const MatmulPlan plan = TENON_TRY(plan_matmul(a, b));
  Tensor& y = context.output(0, a.type(), plan.shape);
  for (int64_t i = 0; i < plan.batches; ++i) {
    const MatrixView left{&a, plan.a_matrix(i) * plan.m * plan.k, plan.m, plan.k, false};
    const MatrixView right{&b, plan.b_matrix(i) * plan.k * plan.n, plan.k, plan.n, false};
    const int64_t base = static_cast<int64_t>(i) * plan.m * plan.n;
    multiply<T>(context, left, right, {}, [&](int64_t row, int64_t column, std::span<T> sums) {
      store_elements<T>(y.type(), y.mutable_raw(), base + row * plan.n + column,
                        static_cast<int64_t>(sums.size()), sums.data());
    });
  }
  return {};
}

Status reference(KernelContext& context) {
  switch (compute_kind(context.input(0).type())) {
    case ComputeKind::kSigned:
      return compute<int64_t>(context);
    case ComputeKind::kUnsigned:
      return compute<uint64_t>(context);
    default:
      return compute<double>(context);
  }
}

}  // namespace

constinit const OpDef kMatMul{
    .name = "MatMul",
    .infer = infer,
    .reference = reference,
    .rows = kMatMulRows,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

}  // namespace tenon::ops
