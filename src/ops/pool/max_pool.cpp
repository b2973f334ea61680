// MaxPool (https://onnx.ai/onnx/operators/onnx__MaxPool.html). Indices count the elements of the whole input,
// row by row, or column by column within each plane when storage_order is 1. A NaN in the window wins.
#include <cmath>
#include <limits>

#include "ops/core/op_def.h"
#include "ops/pool/kernels.h"
#include "ops/pool/pool.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  TENON_TRY(infer_pool(context, 0, context.element(0)));
  if (context.has_output(1)) TENON_TRY(infer_pool(context, 1, DataType::kInt64));
  return {};
}

double lowest(DataType type) {
  if (type == DataType::kInt8) return -128;
  return type == DataType::kUInt8 ? 0 : -std::numeric_limits<double>::infinity();
}

// The position of an element of a plane when its axes are counted first to last.
int64_t column_major(int64_t element, const WindowAxes& axes) {
  int64_t position = 0;
  std::vector<int64_t> index(axes.size());
  for (size_t i = axes.size(); i-- > 0;) {
    index[i] = element % axes[i].input;
    element /= axes[i].input;
  }
  for (size_t i = axes.size(); i-- > 0;) position = position * axes[i].input + index[i];
  return position;
}

Status reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  const PoolPlan plan = TENON_TRY(plan_pool(context.attributes(), x));
  const bool by_columns = context.attributes().integer("storage_order") != 0;
  Tensor& y = context.output(0, x.type(), plan.shape);
  int64_t* indices = context.wants_output(1)
                         ? context.output(1, DataType::kInt64, plan.shape).mutable_data<int64_t>()
                         : nullptr;
  if (plan.output_size == 0) return {};
  const int64_t step = plan.axes.back().dilation;
  context.parallel_for(plan.planes, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> plane(static_cast<size_t>(plan.input_size));
    std::vector<double> result(static_cast<size_t>(plan.output_size));
    for (int64_t p = begin; p < end; ++p) {
      load_elements<double>(x.type(), x.raw(), p * plan.input_size, plan.input_size, plane.data());
      std::vector<int64_t> out(plan.axes.size(), 0);
      size_t position = 0;
      do {
        double best = lowest(x.type());
        int64_t best_at = -1;
        for_each_run(plan.axes, out, [&](int64_t first, int64_t count) {
          for (int64_t i = 0; i < count; ++i) {
            const double value = plane[static_cast<size_t>(first + i * step)];
            if (value > best || best_at < 0 || (std::isnan(value) && !std::isnan(best)))
              best = value, best_at = first + i * step;
          }
        });
        result[position] = best;
        if (indices) {
          const int64_t within = by_columns && best_at >= 0 ? column_major(best_at, plan.axes) : best_at;
          indices[p * plan.output_size + static_cast<int64_t>(position)] =
              best_at < 0 ? -1 : p * plan.input_size + within;
        }
        ++position;
      } while (next_index(out, plan.output_sizes));
      store_elements<double>(y.type(), y.mutable_raw(), p * plan.output_size, plan.output_size,
                             result.data());
    }
  });
  return {};
}

}  // namespace

constinit const OpDef kMaxPool{
    .name = "MaxPool",
    .infer = infer,
    .reference = reference,
    .emit = emit_pool,
    .rows = kMaxPoolRows,
};

}  // namespace tenon::ops
