// Steps of a convolution with a maximum pool or a depthwise convolution behind it: what lies between is never
// written out.
#pragma once

#include "kernels/conv/blocked_conv.h"
#include "kernels/conv/depthwise_conv.h"
#include "ops/conv/conv_kernel.h"

namespace tenon::ops {

/// The convolution that such a step begins with.
struct ConvBefore {
  kernels::ConvFilter filter;
  Window window;
  Lanes lanes;
  kernels::BlockedConv conv;

  /// A call for the input `x`, without output, and the shape between.
  Result<SizedConv> size(const Tensor& x) const;
  Status run(const kernels::ConvCall& call, const kernels::RowsBehind& behind, KernelContext& context) const;
};

class PooledConvKernel final : public Kernel {
 public:
  PooledConvKernel(ConvBefore before, Window pool, Isa isa)
      : before_(std::move(before)), pool_(std::move(pool)), isa_(isa) {}

  Status run(KernelContext& context) const override;

 private:
  ConvBefore before_;
  Window pool_;
  Isa isa_;
};

class ConvDepthwiseKernel final : public Kernel {
 public:
  /// The tail is the depthwise convolution's, `filter` and `window`, too.
  ConvDepthwiseKernel(ConvBefore before, const kernels::ConvFilter& filter, Window window, FusedTail tail,
                      kernels::DepthwiseConv depthwise)
      : before_(std::move(before)),
        filter_(filter),
        window_(std::move(window)),
        tail_(std::move(tail)),
        depthwise_(std::move(depthwise)) {}

  Status run(KernelContext& context) const override;

 private:
  ConvBefore before_;
  kernels::ConvFilter filter_;
  Window window_;
  FusedTail tail_;
  kernels::DepthwiseConv depthwise_;
};

}  // namespace tenon::ops
