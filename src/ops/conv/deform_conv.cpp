// DeformConv (https://onnx.ai/onnx/operators/onnx__DeformConv.html): a convolution whose kernel elements read
// the input at offset positions, interpolated linearly; zero outside of the input.
#include <cmath>

#include "kernels/product.h"
#include "ops/conv/conv.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape *x = context.shape(0), *w = context.shape(1), *offset = context.shape(2);
  if (!x || !w || !offset || x->size() < 3 || offset->size() != x->size() || w->size() != x->size()) {
    context.set_output(0, context.element(0));
    return {};
  }
  SymShape shape = {(*x)[0], (*w)[0]};
  shape.insert(shape.end(), offset->begin() + 2, offset->end());
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

// The value of a plane at a real position: linear along each axis, zero outside.
double interpolate(const std::vector<double>& image, int64_t plane, const WindowAxes& axes,
                   const std::vector<double>& position) {
  double result = 0;
  for (size_t corner = 0; corner < size_t{1} << axes.size(); ++corner) {
    double weight = 1;
    int64_t at = 0;
    for (size_t i = 0; i < axes.size() && at >= 0; ++i) {
      const double low = std::floor(position[i]), t = position[i] - low;
      const bool upper = (corner >> i) & 1;
      weight *= upper ? t : 1 - t;
      const double index = low + (upper ? 1 : 0);
      const bool inside = index >= 0 && index < static_cast<double>(axes[i].input);
      at = inside ? at * axes[i].input + static_cast<int64_t>(index) : -1;
    }
    if (at >= 0 && weight != 0) result += weight * image[static_cast<size_t>(plane + at)];
  }
  return result;
}

struct Plan {
  ConvolutionPlan conv;
  int64_t offset_group = 1, kernel_size = 1, positions = 1, plane = 1;
};

Result<Plan> make_plan(KernelContext& context) {
  const Tensor &x = context.input(0), &w = context.input(1), &offset = context.input(2);
  Plan plan;
  plan.conv = TENON_TRY(plan_convolution(context.attributes(), x, w));
  plan.offset_group = context.attributes().integer("offset_group", 1);
  if (plan.offset_group < 1 || plan.conv.channels % plan.offset_group != 0)
    return fail(ErrorCode::kInvalidModel, "{} channels do not divide into {} offset groups",
                plan.conv.channels, plan.offset_group);
  if (plan.conv.axes.size() > 8) return fail(ErrorCode::kUnsupported, "more than 8 spatial axes");
  Shape expected = {plan.conv.batch, 0};
  for (const WindowAxis& axis : plan.conv.axes) {
    plan.kernel_size *= axis.kernel;
    plan.positions *= axis.output;
    plan.plane *= axis.input;
    expected.push_back(axis.output);
  }
  expected[1] = plan.offset_group * plan.kernel_size * static_cast<int64_t>(plan.conv.axes.size());
  if (offset.shape() != expected)
    return fail(ErrorCode::kInvalidModel, "offset has shape {}, expected {}",
                tenon::to_string(offset.shape()), tenon::to_string(expected));
  expected[1] = plan.offset_group * plan.kernel_size;
  if (context.has_input(4) && context.input(4).shape() != expected)
    return fail(ErrorCode::kInvalidModel, "mask has shape {}, expected {}",
                tenon::to_string(context.input(4).shape()), tenon::to_string(expected));
  if (context.has_input(3) && context.input(3).size() != plan.conv.outputs)
    return fail(ErrorCode::kInvalidModel, "B has {} elements for {} output channels", context.input(3).size(),
                plan.conv.outputs);
  return plan;
}

// Columns of one image (channels * kernel elements by positions).
void fill_deformed(const Plan& plan, const std::vector<double>& image, const std::vector<double>& offsets,
                   const std::vector<double>& mask, std::vector<double>& columns) {
  const WindowAxes& axes = plan.conv.axes;
  const auto rank = static_cast<int64_t>(axes.size());
  const int64_t channels_per_group = plan.conv.channels / plan.offset_group;
  std::vector<int64_t> kernel_sizes, output_sizes, kernel(axes.size(), 0);
  for (const WindowAxis& axis : axes) {
    kernel_sizes.push_back(axis.kernel);
    output_sizes.push_back(axis.output);
  }
  std::vector<double> position(axes.size());
  for (int64_t k = 0; k < plan.kernel_size; ++k, next_index(kernel, kernel_sizes)) {
    std::vector<int64_t> out(axes.size(), 0);
    for (int64_t p = 0; p < plan.positions; ++p, next_index(out, output_sizes))
      for (int64_t g = 0; g < plan.offset_group; ++g) {
        const int64_t element = g * plan.kernel_size + k;
        for (int64_t i = 0; i < rank; ++i) {
          const auto axis = static_cast<size_t>(i);
          position[axis] =
              static_cast<double>(axes[axis].start(out[axis]) + kernel[axis] * axes[axis].dilation) +
              offsets[static_cast<size_t>((element * rank + i) * plan.positions + p)];
        }
        const double factor = mask.empty() ? 1 : mask[static_cast<size_t>(element * plan.positions + p)];
        for (int64_t c = g * channels_per_group; c < (g + 1) * channels_per_group; ++c)
          columns[static_cast<size_t>((c * plan.kernel_size + k) * plan.positions + p)] =
              factor * interpolate(image, c * plan.plane, axes, position);
      }
  }
}

Status reference(KernelContext& context) {
  const Tensor &x = context.input(0), &w = context.input(1), &offset = context.input(2);
  const Plan plan = TENON_TRY(make_plan(context));
  const ConvolutionPlan& conv = plan.conv;
  const std::vector<double> weights = to_doubles(w);
  std::vector<double> bias(static_cast<size_t>(conv.outputs), 0.0);
  if (context.has_input(3)) bias = to_doubles(context.input(3));
  Tensor& y = context.output(0, x.type(), conv.shape);
  if (y.size() == 0) return {};
  context.parallel_for(conv.batch, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> image(static_cast<size_t>(conv.channels * plan.plane));
    std::vector<double> offsets(static_cast<size_t>(offset.size() / conv.batch)), mask;
    std::vector<double> columns(static_cast<size_t>(conv.channels * plan.kernel_size * plan.positions));
    std::vector<double> sums(static_cast<size_t>(conv.outputs * plan.positions));
    for (int64_t n = begin; n < end; ++n) {
      auto load = [&](const Tensor& tensor, std::vector<double>& out) {
        const auto count = static_cast<int64_t>(out.size());
        load_elements<double>(tensor.type(), tensor.raw(), n * count, count, out.data());
      };
      load(x, image);
      load(offset, offsets);
      if (context.has_input(4)) {
        mask.resize(static_cast<size_t>(context.input(4).size() / conv.batch));
        load(context.input(4), mask);
      }
      fill_deformed(plan, image, offsets, mask, columns);
      const int64_t outputs = conv.outputs / conv.group, rows = conv.channels / conv.group * plan.kernel_size;
      for (int64_t m = 0; m < conv.outputs; ++m)
        std::fill_n(sums.begin() + m * plan.positions, plan.positions, bias[static_cast<size_t>(m)]);
      for (int64_t g = 0; g < conv.group; ++g)
        add_product<double>(outputs, plan.positions, rows, weights.data() + g * outputs * rows, rows,
                            columns.data() + g * rows * plan.positions, plan.positions,
                            sums.data() + g * outputs * plan.positions, plan.positions);
      store_elements<double>(y.type(), y.mutable_raw(), n * conv.outputs * plan.positions,
                             conv.outputs * plan.positions, sums.data());
    }
  });
  return {};
}

}  // namespace

constinit const OpDef kDeformConv{
    .name = "DeformConv",
    .infer = infer,
    .reference = reference,
    .tolerance = {Tolerance::Kind::kSum, 32},
};

}  // namespace tenon::ops
