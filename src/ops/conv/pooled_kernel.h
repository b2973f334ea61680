// A step of a first convolution with a maximum pool behind it: what lies between is never written out.
#pragma once

#include "kernels/conv/blocked_conv.h"
#include "ops/conv/conv_kernel.h"

namespace tenon::ops {

class PooledConvKernel final : public Kernel {
 public:
  /// The input is planar, the output in blocks of `lanes`.
  PooledConvKernel(const kernels::ConvFilter& filter, Window window, Window pool, int64_t lanes,
                   kernels::BlockedConv conv)
      : filter_(filter),
        window_(std::move(window)),
        pool_(std::move(pool)),
        lanes_{1, lanes},
        conv_(std::move(conv)) {}

  Status run(KernelContext& context) const override;

 private:
  kernels::ConvFilter filter_;
  Window window_, pool_;
  Lanes lanes_;
  kernels::BlockedConv conv_;
};

}  // namespace tenon::ops
