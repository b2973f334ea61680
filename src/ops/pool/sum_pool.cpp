// AveragePool and LpPool (https://onnx.ai/onnx/operators/onnx__AveragePool.html,
// https://onnx.ai/onnx/operators/onnx__LpPool.html).
#include <cmath>

#include "ops/core/op_def.h"
#include "ops/pool/kernels.h"
#include "ops/pool/pool.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  return infer_pool(context, 0, context.element(0));
}

// Sums term(x) over each window and stores finish(sum, output position).
template <class Term, class Finish>
Status pool_sums(KernelContext& context, const PoolPlan& plan, Term term, Finish finish) {
  const Tensor& x = context.input(0);
  Tensor& y = context.output(0, x.type(), plan.shape);
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
        double sum = 0;
        for_each_run(plan.axes, out, [&](int64_t first, int64_t count) {
          for (int64_t i = 0; i < count; ++i) sum += term(plane[static_cast<size_t>(first + i * step)]);
        });
        result[position++] = finish(sum, out);
      } while (next_index(out, plan.output_sizes));
      store_elements<double>(y.type(), y.mutable_raw(), p * plan.output_size, plan.output_size,
                             result.data());
    }
  });
  return {};
}

Status average_pool(KernelContext& context) {
  const PoolPlan plan = TENON_TRY(plan_pool(context.attributes(), context.input(0)));
  const bool with_pads = context.attributes().integer("count_include_pad") != 0;
  return pool_sums(
      context, plan, [](double value) { return value; },
      [&](double sum, const std::vector<int64_t>& out) {
        double count = 1;
        for (size_t i = 0; i < out.size(); ++i) {
          const WindowAxis& axis = plan.axes[i];
          const int64_t elements = with_pads ? axis.last(out[i], axis.input + axis.pad_end)
                                             : axis.last(out[i], axis.input) - axis.first(out[i]);
          count *= static_cast<double>(std::max<int64_t>(elements, 0));
        }
        return count == 0 ? 0 : sum / count;
      });
}

Result<double> norm_order(const Attributes& attributes) {
  const int64_t p = attributes.integer("p", 2);
  if (p < 1) return fail(ErrorCode::kInvalidModel, "p is {}, expected at least 1", p);
  return static_cast<double>(p);
}

Status lp_pool(KernelContext& context) {
  const PoolPlan plan = TENON_TRY(plan_pool(context.attributes(), context.input(0)));
  const double p = TENON_TRY(norm_order(context.attributes()));
  return pool_sums(
      context, plan, [p](double value) { return std::pow(std::fabs(value), p); },
      [p](double sum, const std::vector<int64_t>&) { return std::pow(sum, 1 / p); });
}

// Version 1 wrote p as a float.
Status upgrade_lp_pool(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  if (context.since_version() == 1) {
    const float p = attributes.real("p", 2);
    if (p < 1 || p > 1e6f || p != std::floor(p))
      return fail(ErrorCode::kUnsupported, "p is {}, which no later version of LpPool can say", p);
    attributes.set("p", static_cast<int64_t>(p));
  }
  return context.finish(Op::kLpPool, context.inputs(), std::move(attributes));
}

}  // namespace

constinit const OpDef kAveragePool{
    .name = "AveragePool",
    .infer = infer,
    .reference = average_pool,
    .emit = emit_pool,
    .rows = kAveragePoolRows,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

constinit const OpDef kLpPool{
    .name = "LpPool",
    .infer = infer,
    .reference = lp_pool,
    .upgrade = upgrade_lp_pool,
    .emit = emit_pool,
    .tolerance = {Tolerance::Kind::kSum, 16},
};

}  // namespace tenon::ops
