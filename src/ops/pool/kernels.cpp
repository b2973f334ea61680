// Rows for maximum pooling of float32 along one or two axes, without indices.
#include "ops/pool/kernels.h"

#include "kernels/pool/max_pool.h"
#include "ops/core/services.h"
#include "ops/pool/pool.h"

namespace tenon::ops {

namespace {

bool fits(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || node.has_output(1) || !node.has_input(0) || region.inputs.size() != 1)
    return false;
  const ValueType& type = region.type(node.inputs[0]);
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape &&
         (type.shape->size() == 3 || type.shape->size() == 4);
}

class MaxPoolKernel final : public Kernel {
 public:
  MaxPoolKernel(Window window, Isa isa) : window_(std::move(window)), isa_(isa) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const WindowAxes axes = TENON_TRY(resolve_window(window_, x.shape().data() + 2));
    // One axis is two with a height of 1.
    const WindowAxis flat{1, 1, 1, 1, 1, 0, 0};
    const WindowAxis& rows = axes.size() == 1 ? flat : axes[0];
    const WindowAxis& columns = axes.back();
    Shape shape = {x.dim(0), x.dim(1)};
    for (const WindowAxis& axis : axes) shape.push_back(axis.output);
    kernels::MaxPoolCall call;
    call.planes = x.dim(0) * x.dim(1);
    call.in_h = rows.input;
    call.in_w = columns.input;
    call.out_h = rows.output;
    call.out_w = columns.output;
    call.kernel_h = rows.kernel;
    call.kernel_w = columns.kernel;
    call.stride_h = rows.stride;
    call.stride_w = columns.stride;
    call.dilation_h = rows.dilation;
    call.dilation_w = columns.dilation;
    call.pad_top = rows.pad_begin;
    call.pad_left = columns.pad_begin;
    call.input = x.data<float>();
    Tensor& y = context.output(0, DataType::kFloat32, shape);
    call.output = y.mutable_data<float>();
    if (y.size() > 0) kernels::max_pool_2d(call, isa_, kernel_services(context));
    return {};
  }

 private:
  Window window_;
  Isa isa_;
};

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region& region, kernels::Packing&) {
  const Node& node = *region.nodes[0];
  const size_t axes = region.type(node.inputs[0]).shape->size() - 2;
  Window window = TENON_TRY(read_pool_window(node.attributes, axes));
  return std::unique_ptr<Kernel>(std::make_unique<MaxPoolKernel>(std::move(window), kIsa));
}

}  // namespace

const KernelRow kMaxPoolRows[6] = {
    blocked_pool_row<Pool::kMax, Isa::kAvx512>("max_pool_blocked_f32_avx512"),
    blocked_pool_row<Pool::kMax, Isa::kAvx2>("max_pool_blocked_f32_avx2"),
    blocked_pool_row<Pool::kMax, Isa::kPortable>("max_pool_blocked_f32_portable"),
    {"max_pool_f32_avx512", Isa::kAvx512, fits, prepare<Isa::kAvx512>},
    {"max_pool_f32_avx2", Isa::kAvx2, fits, prepare<Isa::kAvx2>},
    {"max_pool_f32_portable", Isa::kPortable, fits, prepare<Isa::kPortable>},
};

}  // namespace tenon::ops
