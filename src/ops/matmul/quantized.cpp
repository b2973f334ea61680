// MatMulInteger and QLinearMatMul (https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html).
#include <cmath>

#include "ops/core/op_def.h"
#include "ops/matmul/matmul.h"
#include "ops/matmul/requantize.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer_product(InferContext& context, size_t b, DataType element) {
  const SymShape *left = context.shape(0), *right = context.shape(b);
  if (left && right)
    context.set_output(0, element, TENON_TRY(matmul_shape(*left, *right)));
  else
    context.set_output(0, element);
  return {};
}

Status infer_matmul_integer(InferContext& context) {
  return infer_product(context, 1, DataType::kInt32);
}
Status infer_qlinear_matmul(InferContext& context) {
  return infer_product(context, 3, context.element(7));
}

// How many matrices an operand holds.
int64_t matrix_count(const Tensor& tensor) {
  const int64_t rows = tensor.rank() < 2 ? 1 : tensor.dim(static_cast<size_t>(tensor.rank()) - 2);
  const int64_t elements = rows * tensor.shape().back();
  return elements == 0 ? 0 : tensor.size() / elements;
}

Status matmul_integer(KernelContext& context) {
  const Tensor &a = context.input(0), &b = context.input(1);
  const MatmulPlan plan = TENON_TRY(plan_matmul(a, b));
  Tensor& y = context.output(0, DataType::kInt32, plan.shape);
  for (int64_t i = 0; i < plan.batches; ++i) {
    ZeroPoints<int64_t> zeros;
    if (context.has_input(2))
      zeros.a = TENON_TRY(per_line<int64_t>(context.input(2), plan.m, matrix_count(a), plan.a_matrix(i)));
    if (context.has_input(3))
      zeros.b = TENON_TRY(per_line<int64_t>(context.input(3), plan.n, matrix_count(b), plan.b_matrix(i)));
    const int64_t base = static_cast<int64_t>(i) * plan.m * plan.n;
    multiply<int64_t>(context, {&a, plan.a_matrix(i) * plan.m * plan.k, plan.m, plan.k, false},
                      {&b, plan.b_matrix(i) * plan.k * plan.n, plan.k, plan.n, false}, zeros,
                      [&](int64_t row, int64_t column, std::span<int64_t> sums) {
                        store_elements<int64_t>(y.type(), y.mutable_raw(), base + row * plan.n + column,
                                                static_cast<int64_t>(sums.size()), sums.data());
                      });
  }
  return {};
}

Status qlinear_matmul(KernelContext& context) {
  const Tensor &a = context.input(0), &b = context.input(3);
  const MatmulPlan plan = TENON_TRY(plan_matmul(a, b));
  const DataType type = context.input(7).type();
  if (context.input(6).size() != 1 || context.input(7).size() != 1)
    return fail(ErrorCode::kUnsupported, "y_scale or y_zero_point has more than one element");
  const double y_scale = load_element<double>(context.input(6), 0);
  const double y_zero = load_element<double>(context.input(7), 0);
  Tensor& y = context.output(0, type, plan.shape);
  for (int64_t i = 0; i < plan.batches; ++i) {
    auto line = [&](size_t input, bool left) {
      return left ? per_line<double>(context.input(input), plan.m, matrix_count(a), plan.a_matrix(i))
                  : per_line<double>(context.input(input), plan.n, matrix_count(b), plan.b_matrix(i));
    };
    const std::vector<double> a_scale = TENON_TRY(line(1, true)), b_scale = TENON_TRY(line(4, false));
    const ZeroPoints<double> zeros{TENON_TRY(line(2, true)), TENON_TRY(line(5, false))};
    const int64_t base = static_cast<int64_t>(i) * plan.m * plan.n;
    multiply<double>(context, {&a, plan.a_matrix(i) * plan.m * plan.k, plan.m, plan.k, false},
                     {&b, plan.b_matrix(i) * plan.k * plan.n, plan.k, plan.n, false}, zeros,
                     [&](int64_t row, int64_t column, std::span<double> sums) {
                       const double left = a_scale[a_scale.size() == 1 ? 0 : static_cast<size_t>(row)];
                       for (size_t c = 0; c < sums.size(); ++c) {
                         const double right =
                             b_scale[b_scale.size() == 1 ? 0 : static_cast<size_t>(column) + c];
                         sums[c] *= left * right / y_scale;
                       }
                       requantize(y, base + row * plan.n + column, sums, y_zero);
                     });
  }
  return {};
}

}  // namespace

constinit const OpDef kMatMulInteger{
    .name = "MatMulInteger",
    .infer = infer_matmul_integer,
    .reference = matmul_integer,
};

constinit const OpDef kQLinearMatMul{
    .name = "QLinearMatMul",
    .infer = infer_qlinear_matmul,
    .reference = qlinear_matmul,
};

}  // namespace tenon::ops
