// ConvTranspose (https://onnx.ai/onnx/operators/onnx__ConvTranspose.html): the gradient of Conv by its input.
// W has shape (C, M/group, kernel...).
#include <algorithm>

#include "kernels/product.h"
#include "ops/conv/kernels.h"
#include "ops/conv/transposed.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

constexpr int64_t kLargest = int64_t{1} << 31;

Result<std::vector<int64_t>> output_list(const Attributes& attributes, std::string_view name, size_t axes) {
  std::vector<int64_t> values = attributes.integers(name);
  if (values.empty()) return values;
  if (values.size() < axes)
    return fail(ErrorCode::kInvalidModel, "{} has {} values for {} spatial axes", name, values.size(), axes);
  // Some writers give output_shape with batch and channels, others output_padding twice.
  if (name == "output_shape")
    values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(axes));
  else
    values.resize(axes);
  for (int64_t value : values)
    if (value < 0 || value > kLargest) return fail(ErrorCode::kInvalidModel, "{} holds {}", name, value);
  return values;
}

bool is_same(const Window& window) {
  return window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower;
}

}  // namespace

Result<TransposedWindow> read_transposed(const Attributes& attributes, std::vector<int64_t> kernel) {
  TransposedWindow result;
  result.window = TENON_TRY(read_window(attributes, std::move(kernel)));
  const size_t axes = result.window.axes();
  result.output_padding = TENON_TRY(output_list(attributes, "output_padding", axes));
  if (result.output_padding.empty()) result.output_padding.assign(axes, 0);
  result.output_shape = TENON_TRY(output_list(attributes, "output_shape", axes));
  result.group = attributes.integer("group", 1);
  if (result.group < 1 || result.group > INT32_MAX)
    return fail(ErrorCode::kInvalidModel, "group is {}", result.group);
  return result;
}

Result<SymInt> transposed_size(const TransposedWindow& t, size_t axis, const SymInt& input) {
  if (!t.output_shape.empty()) return SymInt(t.output_shape[axis]);
  if (is_same(t.window)) return input * t.window.strides[axis];
  SymInt size = (input - 1) * t.window.strides[axis] + t.output_padding[axis] + t.window.extent(axis) -
                (t.window.pads_begin[axis] + t.window.pads_end[axis]);
  if (auto known = size.constant(); known && *known < 0)
    return fail(ErrorCode::kInvalidModel, "the pads of spatial axis {} are larger than the output", axis);
  return size;
}

Result<WindowAxes> resolve_transposed(const TransposedWindow& t, const int64_t* spatial) {
  WindowAxes axes;
  for (size_t i = 0; i < t.window.axes(); ++i) {
    WindowAxis axis;
    axis.output = spatial[i];
    axis.kernel = t.window.kernel[i];
    axis.stride = t.window.strides[i];
    axis.dilation = t.window.dilations[i];
    axis.pad_begin = t.window.pads_begin[i];
    axis.input = *TENON_TRY(transposed_size(t, i, spatial[i])).constant();
    if (!t.output_shape.empty() || is_same(t.window)) {
      const int64_t total = std::max<int64_t>(
          0, axis.stride * (spatial[i] - 1) + t.output_padding[i] + t.window.extent(i) - axis.input);
      axis.pad_begin = t.window.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
    }
    axes.push_back(axis);
  }
  return axes;
}

namespace {

Status check_shapes(const TransposedWindow& t, const SymShape& x, const SymShape& w) {
  if (auto channels = x[1].constant(), rows = w[0].constant();
      channels && rows && (*channels != *rows || *channels % t.group != 0))
    return fail(ErrorCode::kInvalidModel, "X has {} channels, W expects {} in {} groups", *channels, *rows,
                t.group);
  return {};
}

Status infer(InferContext& context) {
  const SymShape *x = context.shape(0), *w = context.shape(1);
  if (!x || !w) {
    context.set_output(0, context.element(0));
    return {};
  }
  if (x->size() < 3 || w->size() != x->size())
    return fail(ErrorCode::kInvalidModel, "X has rank {} and W rank {}, expected equal ranks from 3 on",
                x->size(), w->size());
  const auto in_weights = constant_shape(SymShape(w->begin() + 2, w->end()));
  std::vector<int64_t> kernel = in_weights ? *in_weights : context.attributes().integers("kernel_shape");
  if (kernel.size() != x->size() - 2) {
    context.set_output(0, context.element(0), context.fresh_shape(x->size()));
    return {};
  }
  const TransposedWindow t = TENON_TRY(read_transposed(context.attributes(), std::move(kernel)));
  TENON_TRY(check_shapes(t, *x, *w));
  SymShape shape = {(*x)[0], (*w)[1] * t.group};
  for (size_t i = 0; i < t.window.axes(); ++i) shape.push_back(TENON_TRY(transposed_size(t, i, (*x)[i + 2])));
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

// Adds products (one row for each kernel element of one output channel) to the output plane.
void scatter(const WindowAxes& axes, const double* products, int64_t positions, double* plane) {
  const size_t last = axes.size() - 1;
  const WindowAxis& inner = axes[last];
  std::vector<int64_t> kernel_sizes, kernel(axes.size(), 0), row_sizes;
  for (const WindowAxis& axis : axes) kernel_sizes.push_back(axis.kernel);
  for (size_t i = 0; i < last; ++i) row_sizes.push_back(axes[i].output);
  do {
    std::vector<int64_t> row(last, 0);
    const double* product = products;
    do {
      int64_t base = 0;
      for (size_t i = 0; i < last && base >= 0; ++i) {
        const int64_t at = axes[i].start(row[i]) + kernel[i] * axes[i].dilation;
        base = at < 0 || at >= axes[i].input ? -1 : base * axes[i].input + at;
      }
      if (base >= 0) {
        double* target = plane + base * inner.input;
        const int64_t shift = kernel[last] * inner.dilation - inner.pad_begin;
        const int64_t low = shift >= 0 ? 0 : (-shift + inner.stride - 1) / inner.stride;
        const int64_t high = std::min(
            inner.output, inner.input <= shift ? 0 : (inner.input - shift + inner.stride - 1) / inner.stride);
        for (int64_t i = low; i < high; ++i) target[i * inner.stride + shift] += product[i];
      }
      product += inner.output;
    } while (next_index(row, row_sizes));
    products += positions;
  } while (next_index(kernel, kernel_sizes));
}

Status reference(KernelContext& context) {
  const Tensor &x = context.input(0), &w = context.input(1);
  if (x.rank() < 3 || w.rank() != x.rank())
    return fail(ErrorCode::kInvalidModel, "X has rank {} and W rank {}, expected equal ranks from 3 on",
                x.rank(), w.rank());
  const TransposedWindow t =
      TENON_TRY(read_transposed(context.attributes(), {w.shape().begin() + 2, w.shape().end()}));
  TENON_TRY(check_shapes(t, to_sym(x.shape()), to_sym(w.shape())));
  const WindowAxes axes = TENON_TRY(resolve_transposed(t, x.shape().data() + 2));
  const int64_t per_group = w.dim(1), channels = x.dim(1) / t.group, outputs = per_group * t.group;
  Shape shape = {x.dim(0), outputs};
  int64_t positions = 1, plane_size = 1, kernel_size = 1;
  for (const WindowAxis& axis : axes) {
    shape.push_back(axis.input);
    positions *= axis.output;
    kernel_size *= axis.kernel;
  }
  TENON_TRY(element_count(shape));
  for (const WindowAxis& axis : axes) plane_size *= axis.input;
  std::vector<double> bias(static_cast<size_t>(outputs), 0.0);
  if (context.has_input(2)) bias = to_doubles(context.input(2));
  if (bias.size() != static_cast<size_t>(outputs))
    return fail(ErrorCode::kInvalidModel, "B has {} elements for {} output channels", bias.size(), outputs);
  Tensor& y = context.output(0, x.type(), shape);
  if (y.size() == 0) return {};
  const std::vector<double> weights = to_doubles(w);
  // One output channel of one image at a time: products = W' (kernel x channels) * X (channels x positions).
  context.parallel_for(x.dim(0) * outputs, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> columns(static_cast<size_t>(channels * positions)),
        turned(static_cast<size_t>(kernel_size * channels));
    std::vector<double> products(static_cast<size_t>(kernel_size * positions)),
        plane(static_cast<size_t>(plane_size));
    int64_t loaded = -1;
    for (int64_t item = begin; item < end; ++item) {
      const int64_t n = item / outputs, m = item % outputs, g = m / per_group;
      if (loaded != n * t.group + g) {
        loaded = n * t.group + g;
        load_elements<double>(x.type(), x.raw(), loaded * channels * positions, channels * positions,
                              columns.data());
      }
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t k = 0; k < kernel_size; ++k)
          turned[static_cast<size_t>(k * channels + c)] = weights[static_cast<size_t>(
              ((g * channels + c) * per_group + m % per_group) * kernel_size + k)];
      std::fill(products.begin(), products.end(), 0.0);
      add_product<double>(kernel_size, positions, channels, turned.data(), channels, columns.data(),
                          positions, products.data(), positions);
      std::fill(plane.begin(), plane.end(), bias[static_cast<size_t>(m)]);
      if (positions > 0) scatter(axes, products.data(), positions, plane.data());
      store_elements<double>(y.type(), y.mutable_raw(), item * plane_size, plane_size, plane.data());
    }
  });
  return {};
}

}  // namespace

constinit const OpDef kConvTranspose{
    .name = "ConvTranspose",
    .infer = infer,
    .reference = reference,
    .rows = kConvTransposeRows,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

}  // namespace tenon::ops
