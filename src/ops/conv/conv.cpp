// Conv (https://onnx.ai/onnx/operators/onnx__Conv.html), versions 1, 11 and 22 of which differ in types only.
#include "ops/conv/conv.h"

#include "ops/conv/kernels.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape *x = context.shape(0), *w = context.shape(1);
  if (!x || !w) {
    context.set_output(0, context.element(0));
    return {};
  }
  if (!constant_shape(SymShape(w->begin() + std::min<size_t>(2, w->size()), w->end())) &&
      context.attributes().integers("kernel_shape").empty()) {
    SymShape shape = context.fresh_shape(x->size());
    if (x->size() > 1 && w->size() > 1) shape[0] = (*x)[0], shape[1] = (*w)[0];
    context.set_output(0, context.element(0), std::move(shape));
    return {};
  }
  context.set_output(0, context.element(0), TENON_TRY(convolved_shape(context.attributes(), *x, *w)));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor &x = context.input(0), &w = context.input(1);
  const ConvolutionPlan plan = TENON_TRY(plan_convolution(context.attributes(), x, w));
  std::vector<double> bias(static_cast<size_t>(plan.outputs), 0.0);
  if (context.has_input(2)) {
    const Tensor& b = context.input(2);
    if (b.size() != plan.outputs)
      return fail(ErrorCode::kInvalidModel, "B has {} elements for {} output channels", b.size(),
                  plan.outputs);
    bias = to_doubles(b);
  }
  Tensor& y = context.output(0, x.type(), plan.shape);
  convolve<double>(context, plan, x, to_doubles(w), 0.0,
                   [&](int64_t first, int64_t m, std::span<double> sums) {
                     const double b = bias[static_cast<size_t>(m)];
                     for (double& sum : sums) sum += b;
                     store_elements<double>(y.type(), y.mutable_raw(), first,
                                            static_cast<int64_t>(sums.size()), sums.data());
                   });
  return {};
}

}  // namespace

constinit const OpDef kConv{
    .name = "Conv",
    .infer = infer,
    .reference = reference,
    .rows = kConvRows,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

}  // namespace tenon::ops
