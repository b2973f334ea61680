#include "ops/conv/pooled_kernel.h"

#include <algorithm>
#include <limits>

#include "ops/core/services.h"
#include "ops/pool/kernels.h"

namespace tenon::ops {

Status PooledConvKernel::run(KernelContext& context) const {
  const Tensor& x = context.input(0);
  auto [call, shape] = TENON_TRY(size_conv(filter_, window_, lanes_, x));
  if (x.dim(1) != filter_.in_channels)
    return fail(ErrorCode::kInvalidModel, "input of shape {} does not fit weights for {} channels",
                to_string(x.shape()), filter_.in_channels);
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
  call.input = x.data<float>();
  if (!conv_.run_pooled(call, {&rows, &columns, output.mutable_data<float>()}, services))
    return fail(ErrorCode::kLimit, "an input of shape {} is too large for this kernel", to_string(x.shape()));
  return {};
}

}  // namespace tenon::ops
