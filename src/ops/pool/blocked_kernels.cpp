// Rows for pools of float32 in the blocked layout: MaxPool without indices, AveragePool, GlobalAveragePool.
#include "kernels/layout/blocked.h"
#include "kernels/pool/blocked_pool.h"
#include "ops/core/services.h"
#include "ops/pool/kernels.h"
#include "ops/pool/pool.h"

namespace tenon::ops {

bool fits_blocked_pool(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || node.has_output(1) || !node.has_input(0) || region.inputs.size() != 1)
    return false;
  const ValueType& type = region.type(node.inputs[0]);
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape && type.shape->size() == 4 &&
         (*type.shape)[1].is_constant();
}

namespace {

kernels::PoolAxis windows_of(const WindowAxis& axis) {
  kernels::PoolAxis windows;
  windows.dilation = axis.dilation;
  for (int64_t i = 0; i < axis.output; ++i) {
    const int64_t first = axis.first(i), count = axis.last(i, axis.input) - first;
    windows.first.push_back(axis.start(i) + first * axis.dilation);
    windows.count.push_back(count);
    if (count <= 0) windows.first.back() = windows.count.back() = 0;
  }
  return windows;
}

/// By how much a window along an axis counts in an average.
std::vector<float> divisors_of(const WindowAxis& axis, bool with_pads) {
  std::vector<float> divisors;
  for (int64_t i = 0; i < axis.output; ++i) {
    const int64_t count =
        with_pads ? axis.last(i, axis.input + axis.pad_end) : axis.last(i, axis.input) - axis.first(i);
    divisors.push_back(static_cast<float>(std::max<int64_t>(count, 0)));
  }
  return divisors;
}

class BlockedPoolKernel final : public Kernel {
 public:
  BlockedPoolKernel(Pool pool, Attributes attributes, Isa isa)
      : pool_(pool), attributes_(std::move(attributes)), isa_(isa) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);  // [N, blocks, H, W, lanes]
    std::vector<WindowAxis> axes;
    if (pool_ == Pool::kGlobalAverage) {
      for (size_t i : {2, 3}) axes.push_back({x.dim(i), 1, x.dim(i), 1, 1, 0, 0});
    } else {
      const Window window = TENON_TRY(read_pool_window(attributes_, 2));
      axes = TENON_TRY(resolve_window(window, x.shape().data() + 2));
    }
    const kernels::PoolAxis rows = windows_of(axes[0]), columns = windows_of(axes[1]);
    kernels::BlockedPoolCall call;
    call.planes = x.dim(0) * x.dim(1);
    call.in_h = axes[0].input;
    call.in_w = axes[1].input;
    call.rows = &rows;
    call.columns = &columns;
    call.input = x.data<float>();
    const Shape shape = {x.dim(0), x.dim(1), axes[0].output, axes[1].output, x.dim(4)};
    call.output = context.output(0, DataType::kFloat32, shape).mutable_data<float>();
    const kernels::Services services = kernel_services(context);
    if (pool_ == Pool::kMax) {
      kernels::blocked_max_pool(call, isa_, services);
    } else {
      const bool with_pads = attributes_.integer("count_include_pad") != 0;
      kernels::blocked_average_pool(call, divisors_of(axes[0], with_pads), divisors_of(axes[1], with_pads),
                                    isa_, services);
    }
    return {};
  }

 private:
  Pool pool_;
  Attributes attributes_;
  Isa isa_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> prepare_blocked_pool(Pool pool, Isa isa, const Region& region) {
  return std::unique_ptr<Kernel>(std::make_unique<BlockedPoolKernel>(pool, region.nodes[0]->attributes, isa));
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
