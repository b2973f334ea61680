// Steps of a convolution with a maximum pool or a depthwise convolution behind it: what lies between is never
// written out.
#pragma once

#include "kernels/conv/blocked_conv.h"
#include "kernels/conv/depthwise_conv.h"
#include "ops/conv/conv_kernel.h"

namespace tenon::ops {

/// The convolution that such a step begins with.
struct ConvBefore {
  ConvGeometry geometry;
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
  /// The geometry and tail are the depthwise convolution's.
  ConvDepthwiseKernel(ConvBefore before, ConvGeometry geometry, FusedTail tail,
                      kernels::DepthwiseConv depthwise)
      : before_(std::move(before)),
        geometry_(std::move(geometry)),
        tail_(std::move(tail)),
        depthwise_(std::move(depthwise)) {}

  Status run(KernelContext& context) const override;

 private:
  ConvBefore before_;
  ConvGeometry geometry_;
  FusedTail tail_;
  kernels::DepthwiseConv depthwise_;
};

}  // namespace tenon::ops
