// Gemm (https://onnx.ai/onnx/operators/onnx__Gemm.html): Y = alpha * A' * B' + beta * C, where C broadcasts
// to Y. C is optional from version 11 on; before version 7 it broadcast only when `broadcast` said so.
#include "ops/core/op_def.h"
#include "ops/matmul/kernels.h"
#include "ops/matmul/matmul.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Result<SymShape> gemm_shape(const Attributes& attributes, const SymShape& a, const SymShape& b) {
  if (a.size() != 2 || b.size() != 2)
    return fail(ErrorCode::kInvalidModel, "A has rank {} and B rank {}, expected matrices", a.size(),
                b.size());
  const bool trans_a = attributes.integer("transA") != 0, trans_b = attributes.integer("transB") != 0;
  const SymInt &k_a = a[trans_a ? 0 : 1], &k_b = b[trans_b ? 1 : 0];
  if (k_a.is_constant() && k_b.is_constant() && !(k_a == k_b))
    return fail(ErrorCode::kInvalidModel, "the shapes {} and {} do not multiply", tenon::to_string(a),
                tenon::to_string(b));
  return SymShape{a[trans_a ? 1 : 0], b[trans_b ? 0 : 1]};
}

Status infer(InferContext& context) {
  const SymShape *a = context.shape(0), *b = context.shape(1), *c = context.shape(2);
  if (!a || !b) {
    context.set_output(0, context.element(0));
    return {};
  }
  SymShape shape = TENON_TRY(gemm_shape(context.attributes(), *a, *b));
  if (c) {
    const SymShape both = TENON_TRY(broadcast(shape, *c));
    if (both.size() != 2)
      return fail(ErrorCode::kInvalidModel, "C has shape {}, which does not broadcast to {}",
                  tenon::to_string(*c), tenon::to_string(shape));
  }
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

// Elements of C for a piece of a row of Y: `row_stride` and `column_stride` are 0 along broadcast axes.
struct Addend {
  const Tensor* tensor = nullptr;
  int64_t row_stride = 0, column_stride = 0;
};

Result<Addend> broadcast_addend(const Tensor& c, int64_t m, int64_t n) {
  const int64_t rows = c.rank() == 2 ? c.dim(0) : 1;
  const int64_t columns = c.rank() == 0 ? 1 : c.shape().back();
  if (c.rank() > 2 || (rows != 1 && rows != m) || (columns != 1 && columns != n))
    return fail(ErrorCode::kInvalidModel, "C has shape {}, which does not broadcast to [{},{}]",
                tenon::to_string(c.shape()), m, n);
  return Addend{&c, rows == 1 ? 0 : columns, columns == 1 ? 0 : 1};
}

template <class T>
Status compute(KernelContext& context) {
  const Tensor &a = context.input(0), &b = context.input(1);
  const SymShape shape = TENON_TRY(gemm_shape(context.attributes(), to_sym(a.shape()), to_sym(b.shape())));
  const int64_t m = *shape[0].constant(), n = *shape[1].constant();
  const bool trans_a = context.attributes().integer("transA") != 0;
  const bool trans_b = context.attributes().integer("transB") != 0;
  const double alpha = static_cast<double>(context.attributes().real("alpha", 1));
  const double beta = static_cast<double>(context.attributes().real("beta", 1));
  Addend addend;
  if (context.has_input(2)) addend = TENON_TRY(broadcast_addend(context.input(2), m, n));
  Tensor& y = context.output(0, a.type(), {m, n});
  const MatrixView left{&a, 0, m, a.dim(trans_a ? 0 : 1), trans_a};
  const MatrixView right{&b, 0, left.columns, n, trans_b};
  auto scaled = [](T value, double factor) {
    return factor == 1 ? value : static_cast<T>(static_cast<double>(value) * factor);
  };
  multiply<T>(context, left, right, {}, [&](int64_t row, int64_t column, std::span<T> sums) {
    const auto count = static_cast<int64_t>(sums.size());
    for (T& sum : sums) sum = scaled(sum, alpha);
    if (addend.tensor && beta != 0) {
      std::vector<T> c(sums.size());
      const int64_t first = row * addend.row_stride + column * addend.column_stride;
      load_elements<T>(addend.tensor->type(), addend.tensor->raw(), first, addend.column_stride ? count : 1,
                       c.data());
      for (size_t i = 0; i < sums.size(); ++i)
        if constexpr (std::is_same_v<T, double>)
          sums[i] += c[addend.column_stride ? i : 0] * beta;
        else
          sums[i] = static_cast<T>(static_cast<uint64_t>(sums[i]) +
                                   static_cast<uint64_t>(scaled(c[addend.column_stride ? i : 0], beta)));
    }
    store_elements<T>(y.type(), y.mutable_raw(), row * n + column, count, sums.data());
  });
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

Status upgrade(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  attributes.erase("broadcast");
  return context.finish(Op::kGemm, context.inputs(), std::move(attributes));
}

Status emit(EmitContext& context) {
  if (context.has_input(2) || context.opset() >= 11) {
    if (context.opset() >= 7) return emit_unchanged(context);
    return context.unsupported(7, "C broadcasts without being told to");
  }
  // Before opset 11 C is required: a zero does no harm.
  const DataType type = context.output_type(0).element;
  Tensor zero = Tensor::allocate(type, {1});
  store_element<double>(zero, 0, 0.0);
  return context.finish("Gemm",
                        {context.input(0), context.input(1), context.constant(std::move(zero), "zero")},
                        context.attributes());
}

}  // namespace

constinit const OpDef kGemm{
    .name = "Gemm",
    .infer = infer,
    .reference = reference,
    .upgrade = upgrade,
    .emit = emit,
    .rows = kGemmRows,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

}  // namespace tenon::ops
