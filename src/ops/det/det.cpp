// Det (https://onnx.ai/onnx/operators/onnx__Det.html): determinants by elimination with row pivoting.
#include <cmath>
#include <utility>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status check(const SymShape& shape) {
  if (shape.size() < 2)
    return fail(ErrorCode::kInvalidModel, "X has rank {}, expected at least 2", shape.size());
  const SymInt &rows = shape[shape.size() - 2], &columns = shape.back();
  if (rows.is_constant() && columns.is_constant() && !(rows == columns))
    return fail(ErrorCode::kInvalidModel, "the matrices of X {} are not square", tenon::to_string(shape));
  return {};
}

Status infer(InferContext& context) {
  const SymShape* x = context.shape(0);
  if (!x) {
    context.set_output(0, context.element(0));
    return {};
  }
  TENON_TRY(check(*x));
  context.set_output(0, context.element(0), SymShape(x->begin(), x->end() - 2));
  return {};
}

double determinant(std::vector<double>& a, size_t n) {
  double result = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      for (size_t j = 0; j < n; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
      result = -result;
    }
    result *= a[k * n + k];
    for (size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return result;
}

Status reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  TENON_TRY(check(to_sym(x.shape())));
  const int64_t n = x.shape().back();
  Tensor& y = context.output(0, x.type(), {x.shape().begin(), x.shape().end() - 2});
  std::vector<double> matrix(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < y.size(); ++i) {
    load_elements<double>(x.type(), x.raw(), i * n * n, n * n, matrix.data());
    const double value = determinant(matrix, static_cast<size_t>(n));
    store_elements<double>(y.type(), y.mutable_raw(), i, 1, &value);
  }
  return {};
}

}  // namespace

constinit const OpDef kDet{
    .name = "Det",
    .infer = infer,
    .reference = reference,
    .tolerance = {Tolerance::Kind::kSum, 64},
};

}  // namespace tenon::ops
