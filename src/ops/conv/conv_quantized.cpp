// ConvInteger and QLinearConv (https://onnx.ai/onnx/operators/onnx__QLinearConv.html). Padding stands for the
// input's zero point, which is 0 after it is subtracted.
#include "ops/conv/conv.h"
#include "ops/core/op_def.h"
#include "ops/matmul/requantize.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer_convolution(InferContext& context, size_t w_input, DataType element) {
  const SymShape *x = context.shape(0), *w = context.shape(w_input);
  const bool kernel_known =
      w && (constant_shape(SymShape(w->begin() + std::min<size_t>(2, w->size()), w->end())) ||
            !context.attributes().integers("kernel_shape").empty());
  if (x && kernel_known)
    context.set_output(0, element, TENON_TRY(convolved_shape(context.attributes(), *x, *w)));
  else if (x)
    context.set_output(0, element, context.fresh_shape(x->size()));
  else
    context.set_output(0, element);
  return {};
}

Status infer_conv_integer(InferContext& context) {
  return infer_convolution(context, 1, DataType::kInt32);
}
Status infer_qlinear_conv(InferContext& context) {
  return infer_convolution(context, 3, context.element(7));
}

Result<int64_t> scalar_zero(const Tensor& tensor, std::string_view name) {
  if (tensor.size() != 1)
    return fail(ErrorCode::kInvalidModel, "{} has {} elements, expected 1", name, tensor.size());
  return load_element<int64_t>(tensor, 0);
}

// w minus its zero point, which is one number or one for each output channel.
Result<std::vector<int64_t>> centred_weights(const Tensor& w, const Tensor* zero) {
  std::vector<int64_t> weights = to_ints(w);
  if (!zero) return weights;
  const int64_t outputs = w.dim(0);
  if (zero->size() != 1 && zero->size() != outputs)
    return fail(ErrorCode::kInvalidModel, "w_zero_point has {} elements, expected 1 or {}", zero->size(),
                outputs);
  const std::vector<int64_t> zeros = to_ints(*zero);
  const size_t per_output = outputs == 0 ? 1 : weights.size() / static_cast<size_t>(outputs);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] -= zeros[zeros.size() == 1 ? 0 : i / per_output];
  return weights;
}

Status conv_integer(KernelContext& context) {
  const Tensor &x = context.input(0), &w = context.input(1);
  const ConvolutionPlan plan = TENON_TRY(plan_convolution(context.attributes(), x, w));
  const int64_t x_zero = context.has_input(2) ? TENON_TRY(scalar_zero(context.input(2), "x_zero_point")) : 0;
  const std::vector<int64_t> weights =
      TENON_TRY(centred_weights(w, context.has_input(3) ? &context.input(3) : nullptr));
  Tensor& y = context.output(0, DataType::kInt32, plan.shape);
  convolve<int64_t>(context, plan, x, weights, x_zero, [&](int64_t first, int64_t, std::span<int64_t> sums) {
    store_elements<int64_t>(y.type(), y.mutable_raw(), first, static_cast<int64_t>(sums.size()), sums.data());
  });
  return {};
}

Status qlinear_conv(KernelContext& context) {
  const Tensor &x = context.input(0), &w = context.input(3);
  const ConvolutionPlan plan = TENON_TRY(plan_convolution(context.attributes(), x, w));
  const int64_t x_zero = TENON_TRY(scalar_zero(context.input(2), "x_zero_point"));
  const int64_t y_zero = TENON_TRY(scalar_zero(context.input(7), "y_zero_point"));
  const std::vector<int64_t> weights = TENON_TRY(centred_weights(w, &context.input(5)));
  const std::vector<double> w_scale = to_doubles(context.input(4));
  if (context.input(1).size() != 1 || context.input(6).size() != 1 ||
      (w_scale.size() != 1 && w_scale.size() != static_cast<size_t>(plan.outputs)))
    return fail(ErrorCode::kInvalidModel, "a scale has the wrong number of elements");
  const double x_scale = load_element<double>(context.input(1), 0);
  const double y_scale = load_element<double>(context.input(6), 0);
  std::vector<int64_t> bias(static_cast<size_t>(plan.outputs), 0);
  if (context.has_input(8)) bias = to_ints(context.input(8));
  if (bias.size() != static_cast<size_t>(plan.outputs))
    return fail(ErrorCode::kInvalidModel, "B has {} elements for {} output channels", bias.size(),
                plan.outputs);
  Tensor& y = context.output(0, context.input(7).type(), plan.shape);
  convolve<int64_t>(
      context, plan, x, weights, x_zero, [&](int64_t first, int64_t m, std::span<int64_t> sums) {
        const double scale = x_scale * w_scale[w_scale.size() == 1 ? 0 : static_cast<size_t>(m)] / y_scale;
        std::vector<double> values(sums.size());
        for (size_t i = 0; i < sums.size(); ++i)
          values[i] = static_cast<double>(sums[i] + bias[static_cast<size_t>(m)]) * scale;
        requantize(y, first, values, static_cast<double>(y_zero));
      });
  return {};
}

}  // namespace

constinit const OpDef kConvInteger{
    .name = "ConvInteger",
    .infer = infer_conv_integer,
    .reference = conv_integer,
};

constinit const OpDef kQLinearConv{
    .name = "QLinearConv",
    .infer = infer_qlinear_conv,
    .reference = qlinear_conv,
};

}  // namespace tenon::ops
