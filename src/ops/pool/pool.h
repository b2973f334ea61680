// What pools share: the walk over the input elements that a window covers, and how pools are emitted.
#pragma once

#include <vector>

#include "ops/core/infer.h"
#include "ops/core/kernel.h"
#include "ops/core/versions.h"
#include "ops/spatial/window.h"

namespace tenon::ops {

/// A pool of known shapes: each of `planes` channels of `input_size` elements becomes one of `output_size`.
struct PoolPlan {
  WindowAxes axes;
  std::vector<int64_t> output_sizes;  ///< Along the spatial axes.
  int64_t planes = 0, input_size = 1, output_size = 1;
  Shape shape;  ///< Of the output.
};
Result<PoolPlan> plan_pool(const Attributes& attributes, const Tensor& x);

/// The shape rule of MaxPool, AveragePool and LpPool for output `i`.
Status infer_pool(InferContext& context, size_t output, DataType element);

/// Calls run(first, count) for the covered elements of a window, one row of the last axis at a time: elements
/// first, first + dilation, ... of the plane, where dilation is that of the last axis.
template <class Run>
void for_each_run(const WindowAxes& axes, const std::vector<int64_t>& out, Run&& run) {
  const size_t last = axes.size() - 1;
  std::vector<int64_t> sizes(last), index(last, 0), base(last);
  for (size_t i = 0; i < last; ++i) {
    base[i] = axes[i].first(out[i]);
    sizes[i] = axes[i].last(out[i], axes[i].input) - base[i];
    if (sizes[i] <= 0) return;
  }
  const WindowAxis& inner = axes[last];
  const int64_t first = inner.first(out[last]), count = inner.last(out[last], inner.input) - first;
  if (count <= 0) return;
  const int64_t column = inner.start(out[last]) + first * inner.dilation;
  do {
    int64_t row = 0;
    for (size_t i = 0; i < last; ++i)
      row = row * axes[i].input + axes[i].start(out[i]) + (base[i] + index[i]) * axes[i].dilation;
    run(row * inner.input + column, count);
  } while (next_index(index, sizes));
}

/// Writes a pool at the opset asked for: dilations of 1 are left out where the version may lack them.
Status emit_pool(EmitContext& context);

}  // namespace tenon::ops
