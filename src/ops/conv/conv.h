// What the members of the convolution family share: shape rules and the plain computation.
#pragma once

#include <functional>

#include "ops/core/infer.h"
#include "ops/core/kernel.h"
#include "ops/spatial/window.h"

namespace tenon::ops {

/// The output shape of a convolution (N, M, spatial...) from the shapes of X (N, C, ...) and W
/// (M, C/group, ...); checks that they fit together. kInvalidModel when they do not.
Result<SymShape> convolved_shape(const Attributes& attributes, const SymShape& x, const SymShape& w);

/// A convolution of known shapes.
struct ConvolutionPlan {
  WindowAxes axes;
  int64_t batch, channels, outputs, group;  ///< N, C, M
  Shape shape;                              ///< Of the output.
};
Result<ConvolutionPlan> plan_convolution(const Attributes& attributes, const Tensor& x, const Tensor& w);

/// Sums of products for all output elements: calls `finish(first, m, sums)` with `sums` for consecutive
/// output elements from `first` on, all of output channel m. `x_offset` is subtracted from elements of x (not
/// from padding); `weights` holds w in row-major order as T. Runs in parallel; T is double or int64_t.
template <class T>
void convolve(KernelContext& context, const ConvolutionPlan& plan, const Tensor& x,
              const std::vector<T>& weights, T x_offset,
              const std::function<void(int64_t first, int64_t m, std::span<T> sums)>& finish);

}  // namespace tenon::ops
