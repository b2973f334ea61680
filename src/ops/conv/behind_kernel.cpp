#include "ops/conv/behind_kernel.h"

#include <algorithm>
#include <limits>

#include "kernels/pool/blocked_pool.h"
#include "ops/core/services.h"
#include "ops/pool/kernels.h"

namespace tenon::ops {

Result<SizedConv> ConvBefore::size(const Tensor& x) const {
  SizedConv sized = TENON_TRY(geometry.size(x.shape()));
  TENON_TRY(geometry.check_channels(x.shape()));
  sized.call.input = x.data<float>();
  return sized;
}

Status ConvBefore::run(const kernels::ConvCall& call, const kernels::RowsBehind& behind,
                       KernelContext& context) const {
  if (!conv.run_before(call, behind, kernel_services(context)))
    return fail(ErrorCode::kLimit, "an input of shape {} is too large for this kernel",
                to_string(context.input(0).shape()));
  return {};
}

Status PooledConvKernel::run(KernelContext& context) const {
  auto [call, shape] = TENON_TRY(before_.size(context.input(0)));
  const int64_t between[] = {call.out_h, call.out_w};
  const WindowAxes axes = TENON_TRY(resolve_window(pool_, between));
  shape[2] = axes[0].output;
  shape[3] = axes[1].output;
  Tensor& output = context.output(0, DataType::kFloat32, shape);
  if (output.size() == 0) return {};
  if (call.out_h * call.out_w == 0) {  // the greatest of nothing
    std::fill_n(output.mutable_data<float>(), output.size(), -std::numeric_limits<float>::infinity());
    return {};
  }
  const kernels::Services services = kernel_services(context);
  const kernels::PoolAxis rows = pool_windows(axes[0], services), columns = pool_windows(axes[1], services);
  const kernels::WindowRows windows{axes[0].input, axes[0].output, axes[0].stride,
                                    (axes[0].kernel - 1) * axes[0].dilation + 1, axes[0].pad_begin};
  const kernels::MaxPoolRows pool(windows, rows, columns, call.out_w, output.mutable_data<float>(), isa_);
  return before_.run(call, pool, context);
}

Status ConvDepthwiseKernel::run(KernelContext& context) const {
  const auto [call, between] = TENON_TRY(before_.size(context.input(0)));
  auto [behind, shape] = TENON_TRY(geometry_.size(between));
  Tensor& output = context.output(0, DataType::kFloat32, shape);
  if (output.size() == 0) return {};
  behind.operands = TENON_TRY(tail_operands(tail_, context, shape));
  behind.output = output.mutable_data<float>();
  const kernels::Services services = kernel_services(context);
  return before_.run(call, kernels::DepthwiseConv::Rows(depthwise_, behind, services), context);
}

}  // namespace tenon::ops
