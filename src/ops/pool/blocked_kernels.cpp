// Rows for pools of float32 in the blocked layout: MaxPool without indices, AveragePool, GlobalAveragePool,
// and ReduceMean over the same.
#include <algorithm>
#include <limits>

#include "kernels/layout/blocked.h"
#include "kernels/pool/blocked_pool.h"
#include "ops/core/services.h"
#include "ops/pool/kernels.h"
#include "ops/pool/pool.h"
#include "ops/reduce/plan.h"
#include "tensor/element.h"

namespace tenon::ops {

bool fits_blocked_pool(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || node.has_output(1) || !node.has_input(0) || region.inputs.size() != 1)
    return false;
  const ValueType& type = region.type(node.inputs[0]);
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape && type.shape->size() == 4 &&
         (*type.shape)[1].is_constant();
}

kernels::PoolAxis pool_windows(const WindowAxis& axis, const kernels::Services& services) {
  const auto outputs = static_cast<size_t>(axis.output);
  const std::span<int64_t> firsts(services.scratch_array<int64_t>(axis.output), outputs);
  const std::span<int64_t> counts(services.scratch_array<int64_t>(axis.output), outputs);
  for (size_t i = 0; i < outputs; ++i) {
    const auto output = static_cast<int64_t>(i);
    const int64_t first = axis.first(output), count = axis.last(output, axis.input) - first;
    firsts[i] = count > 0 ? axis.start(output) + first * axis.dilation : 0;
    counts[i] = std::max<int64_t>(count, 0);
  }
  return {firsts, counts, axis.dilation};
}

namespace {

/// By how much a window along an axis counts in an average; in scratch memory.
std::span<const float> divisors_of(const WindowAxis& axis, bool with_pads,
                                   const kernels::Services& services) {
  const std::span<float> divisors(services.scratch_floats(axis.output), static_cast<size_t>(axis.output));
  for (size_t i = 0; i < divisors.size(); ++i) {
    const auto output = static_cast<int64_t>(i);
    const int64_t last = axis.last(output, axis.input + (with_pads ? axis.pad_end : 0));
    const int64_t count = with_pads ? last : last - axis.first(output);
    divisors[i] = static_cast<float>(std::max<int64_t>(count, 0));
  }
  return divisors;
}

class BlockedPoolKernel final : public Kernel {
 public:
  /// `window` is not used by the global pool.
  BlockedPoolKernel(Pool pool, Window window, bool with_pads, Isa isa)
      : pool_(pool), window_(std::move(window)), with_pads_(with_pads), isa_(isa) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);  // [N, blocks, H, W, lanes]
    const kernels::Services services = kernel_services(context);
    WindowAxes axes;
    if (pool_ == Pool::kGlobalAverage)
      for (size_t i : {2, 3}) axes.push_back({x.dim(i), 1, x.dim(i), 1, 1, 0, 0});
    else
      axes = TENON_TRY(resolve_window(window_, x.shape().data() + 2));
    const kernels::PoolAxis rows = pool_windows(axes[0], services), columns = pool_windows(axes[1], services);
    kernels::BlockedPoolCall call;
    call.planes = x.dim(0) * x.dim(1);
    call.in_h = axes[0].input;
    call.in_w = axes[1].input;
    call.rows = &rows;
    call.columns = &columns;
    call.input = x.data<float>();
    const Shape shape = {x.dim(0), x.dim(1), axes[0].output, axes[1].output, x.dim(4)};
    call.output = context.output(0, DataType::kFloat32, shape).mutable_data<float>();
    if (pool_ == Pool::kGlobalAverage && x.dim(2) * x.dim(3) == 0)  // the mean of nothing
      std::fill_n(call.output, element_count(shape).value(), std::numeric_limits<float>::quiet_NaN());
    else if (pool_ == Pool::kMax)
      kernels::blocked_max_pool(call, isa_, services);
    else
      kernels::blocked_average_pool(call, divisors_of(axes[0], with_pads_, services),
                                    divisors_of(axes[1], with_pads_, services), isa_, services);
    return {};
  }

 private:
  Pool pool_;
  Window window_;
  bool with_pads_;  // whether padding counts in an average
  Isa isa_;
};

/// The means of planes without the dimensions of pixels: [N, C] in the plain layout.
class PlaneMeanKernel final : public Kernel {
 public:
  PlaneMeanKernel(int64_t channels, Isa isa) : channels_(channels), isa_(isa) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);  // [N, blocks, H, W, lanes]
    const kernels::Services services = kernel_services(context);
    const int64_t images = x.dim(0), padded = x.dim(1) * x.dim(4);
    float* means = context.output(0, DataType::kFloat32, {images, channels_}).mutable_data<float>();
    float* blocks = padded == channels_ ? means : services.scratch_floats(images * padded);
    const WindowAxis height{x.dim(2), 1, x.dim(2), 1, 1, 0, 0}, width{x.dim(3), 1, x.dim(3), 1, 1, 0, 0};
    const kernels::PoolAxis rows = pool_windows(height, services), columns = pool_windows(width, services);
    kernels::BlockedPoolCall call;
    call.planes = images * x.dim(1);
    call.in_h = x.dim(2);
    call.in_w = x.dim(3);
    call.rows = &rows;
    call.columns = &columns;
    call.input = x.data<float>();
    call.output = blocks;
    if (x.dim(2) * x.dim(3) == 0)
      std::fill_n(blocks, images * padded, std::numeric_limits<float>::quiet_NaN());
    else
      kernels::blocked_average_pool(call, divisors_of(height, false, services),
                                    divisors_of(width, false, services), isa_, services);
    for (int64_t i = 0; i < images && blocks != means; ++i)
      std::copy_n(blocks + i * padded, channels_, means + i * channels_);
    return {};
  }

 private:
  int64_t channels_;
  Isa isa_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> prepare_blocked_pool(Pool pool, Isa isa, const Region& region) {
  const Attributes& attributes = region.nodes[0]->attributes;
  Window window;
  if (pool != Pool::kGlobalAverage) window = TENON_TRY(read_pool_window(attributes, 2));
  return std::unique_ptr<Kernel>(std::make_unique<BlockedPoolKernel>(
      pool, std::move(window), attributes.integer("count_include_pad") != 0, isa));
}

bool takes_plane_means(const Region& region, bool keeps) {
  const Node& node = *region.nodes[0];
  const Tensor* axes = region.constant_input(node, 1);
  if (axes == nullptr || !fits_blocked_pool(region)) return false;
  if ((node.attributes.integer("keepdims", 1) != 0) != keeps) return false;
  const auto reduced = reduced_axes(to_ints(*axes), 4, true);
  return reduced.ok() && *reduced == std::vector<bool>{false, false, true, true};
}

Result<std::unique_ptr<Kernel>> prepare_plane_means(Isa isa, const Region& region) {
  const int64_t channels = *(*region.type(region.nodes[0]->inputs[0]).shape)[1].constant();
  return std::unique_ptr<Kernel>(std::make_unique<PlaneMeanKernel>(channels, isa));
}

const KernelRow kAveragePoolRows[3] = {
    blocked_pool_row<Pool::kAverage, Isa::kAvx512>("average_pool_blocked_f32_avx512"),
    blocked_pool_row<Pool::kAverage, Isa::kAvx2>("average_pool_blocked_f32_avx2"),
    blocked_pool_row<Pool::kAverage, Isa::kPortable>("average_pool_blocked_f32_portable"),
};

const KernelRow kGlobalAveragePoolRows[3] = {
    blocked_pool_row<Pool::kGlobalAverage, Isa::kAvx512>("global_average_pool_blocked_f32_avx512"),
    blocked_pool_row<Pool::kGlobalAverage, Isa::kAvx2>("global_average_pool_blocked_f32_avx2"),
    blocked_pool_row<Pool::kGlobalAverage, Isa::kPortable>("global_average_pool_blocked_f32_portable"),
};

}  // namespace tenon::ops
