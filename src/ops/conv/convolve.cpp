#include "kernels/product.h"
#include "ops/conv/conv.h"
#include "ops/conv/image_columns.h"

namespace tenon::ops {

Result<SymShape> convolved_shape(const Attributes& attributes, const SymShape& x, const SymShape& w) {
  if (x.size() < 3 || w.size() != x.size())
    return fail(ErrorCode::kInvalidModel, "X has rank {} and W rank {}, expected equal ranks from 3 on",
                x.size(), w.size());
  const int64_t group = attributes.integer("group", 1);
  if (group < 1 || group > INT32_MAX) return fail(ErrorCode::kInvalidModel, "group is {}", group);
  if (auto channels = x[1].constant(), per_group = w[1].constant();
      channels && per_group && (*channels % group != 0 || *channels / group != *per_group))
    return fail(ErrorCode::kInvalidModel, "X has {} channels, W expects {} in each of {} groups", *channels,
                *per_group, group);
  if (auto outputs = w[0].constant(); outputs && *outputs % group != 0)
    return fail(ErrorCode::kInvalidModel, "{} output channels do not divide into {} groups", *outputs, group);
  std::vector<int64_t> kernel = attributes.integers("kernel_shape");
  const auto shape = constant_shape(SymShape(w.begin() + 2, w.end()));
  if (!kernel.empty() && kernel.size() != x.size() - 2)
    return fail(ErrorCode::kInvalidModel, "kernel_shape has {} values for {} spatial axes", kernel.size(),
                x.size() - 2);
  if (shape) {
    if (!kernel.empty() && kernel != *shape)
      return fail(ErrorCode::kInvalidModel, "kernel_shape is {}, W has {}", tenon::to_string(kernel),
                  tenon::to_string(*shape));
    kernel = *shape;
  }
  SymShape out = {x[0], w[0]};
  if (kernel.empty()) return fail(ErrorCode::kUnsupported, "the kernel's size is not known");
  const Window window = TENON_TRY(read_window(attributes, std::move(kernel)));
  for (size_t i = 0; i < window.axes(); ++i) out.push_back(TENON_TRY(output_size(window, i, x[i + 2])));
  return out;
}

Result<ConvolutionPlan> plan_convolution(const Attributes& attributes, const Tensor& x, const Tensor& w) {
  const SymShape shape = TENON_TRY(convolved_shape(attributes, to_sym(x.shape()), to_sym(w.shape())));
  ConvolutionPlan plan;
  const Window window = TENON_TRY(read_window(attributes, {w.shape().begin() + 2, w.shape().end()}));
  plan.axes = TENON_TRY(resolve_window(window, x.shape().data() + 2));
  plan.batch = x.dim(0);
  plan.channels = x.dim(1);
  plan.outputs = w.dim(0);
  plan.group = attributes.integer("group", 1);
  plan.shape = *constant_shape(shape);
  return plan;
}

template <class T>
void convolve(KernelContext& context, const ConvolutionPlan& plan, const Tensor& x,
              const std::vector<T>& weights, T x_offset,
              const std::function<void(int64_t first, int64_t m, std::span<T> sums)>& finish) {
  ImageColumns columns{&x, 0, plan.channels / plan.group, plan.axes};
  const int64_t outputs = plan.outputs / plan.group, rows = columns.rows(), positions = columns.output_size();
  if (positions == 0 || plan.batch == 0 || outputs == 0) return;
  // Positions at once: a few hundred, fewer when the columns would outgrow the cache.
  const int64_t block = std::clamp<int64_t>((65536 / std::max<int64_t>(rows, 1)) & ~3, 16, 256);
  const int64_t blocks = (positions + block - 1) / block;
  context.parallel_for(plan.batch * plan.group * blocks, 1, [&](int64_t begin, int64_t end) {
    ImageColumns source = columns;
    std::vector<T> buffer(static_cast<size_t>(rows * std::min(block, positions)));
    std::vector<T> sums(static_cast<size_t>(outputs * std::min(block, positions)));
    for (int64_t item = begin; item < end; ++item) {
      const int64_t first = item % blocks * block, last = std::min(first + block, positions);
      const int64_t image_group = item / blocks, g = image_group % plan.group;
      source.first_element = image_group * columns.channels * columns.input_size();
      fill_columns<T>(source, first, last, x_offset, buffer.data());
      std::fill(sums.begin(), sums.end(), T(0));
      add_product<T>(outputs, last - first, rows, weights.data() + g * outputs * rows, rows, buffer.data(),
                     last - first, sums.data(), last - first);
      for (int64_t m = 0; m < outputs; ++m)
        finish((image_group * outputs + m) * positions + first, g * outputs + m,
               {sums.data() + m * (last - first), static_cast<size_t>(last - first)});
    }
  });
}

template void convolve(KernelContext&, const ConvolutionPlan&, const Tensor&, const std::vector<double>&,
                       double, const std::function<void(int64_t, int64_t, std::span<double>)>&);
template void convolve(KernelContext&, const ConvolutionPlan&, const Tensor&, const std::vector<int64_t>&,
                       int64_t, const std::function<void(int64_t, int64_t, std::span<int64_t>)>&);

}  // namespace tenon::ops
