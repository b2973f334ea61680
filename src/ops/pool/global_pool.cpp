// GlobalAveragePool, GlobalMaxPool and GlobalLpPool
// (https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html): a pool whose window is the whole plane.
#include <cmath>
#include <limits>

#include "ops/core/op_def.h"
#include "ops/pool/kernels.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* x = context.shape(0);
  if (!x) {
    context.set_output(0, context.element(0));
    return {};
  }
  if (x->size() < 2) return fail(ErrorCode::kInvalidModel, "X has rank {}, expected at least 2", x->size());
  SymShape shape(x->size(), 1);
  shape[0] = (*x)[0];
  shape[1] = (*x)[1];
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

template <class Reduce>
Status reduce_planes(KernelContext& context, Reduce reduce) {
  const Tensor& x = context.input(0);
  if (x.rank() < 2) return fail(ErrorCode::kInvalidModel, "X has rank {}, expected at least 2", x.rank());
  Shape shape(x.shape().size(), 1);
  shape[0] = x.dim(0);
  shape[1] = x.dim(1);
  Tensor& y = context.output(0, x.type(), shape);
  const int64_t planes = y.size(), size = planes == 0 ? 0 : x.size() / planes;
  context.parallel_for(planes, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> plane(static_cast<size_t>(size));
    for (int64_t p = begin; p < end; ++p) {
      load_elements<double>(x.type(), x.raw(), p * size, size, plane.data());
      const double value = reduce(plane);
      store_elements<double>(y.type(), y.mutable_raw(), p, 1, &value);
    }
  });
  return {};
}

Status average(KernelContext& context) {
  return reduce_planes(context, [](const std::vector<double>& plane) {
    double sum = 0;
    for (double value : plane) sum += value;
    return sum / static_cast<double>(plane.size());
  });
}

Status maximum(KernelContext& context) {
  return reduce_planes(context, [](const std::vector<double>& plane) {
    double best = -std::numeric_limits<double>::infinity();
    for (double value : plane)
      if (value > best || std::isnan(value)) best = value;
    return best;
  });
}

Status lp_norm(KernelContext& context) {
  const auto p = static_cast<double>(context.attributes().integer("p", 2));
  if (p < 1) return fail(ErrorCode::kInvalidModel, "p is {}, expected at least 1", p);
  return reduce_planes(context, [p](const std::vector<double>& plane) {
    double sum = 0;
    for (double value : plane) sum += std::pow(std::fabs(value), p);
    return std::pow(sum, 1 / p);
  });
}

// Version 1 wrote p as a float.
Status upgrade_global_lp_pool(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  if (context.since_version() == 1) {
    const float p = attributes.real("p", 2);
    if (p < 1 || p > 1e6f || p != std::floor(p))
      return fail(ErrorCode::kUnsupported, "p is {}, which no later version of GlobalLpPool can say", p);
    attributes.set("p", static_cast<int64_t>(p));
  }
  return context.finish(Op::kGlobalLpPool, context.inputs(), std::move(attributes));
}

}  // namespace

constinit const OpDef kGlobalAveragePool{
    .name = "GlobalAveragePool",
    .infer = infer,
    .reference = average,
    .rows = kGlobalAveragePoolRows,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

constinit const OpDef kGlobalMaxPool{
    .name = "GlobalMaxPool",
    .infer = infer,
    .reference = maximum,
};

constinit const OpDef kGlobalLpPool{
    .name = "GlobalLpPool",
    .infer = infer,
    .reference = lp_norm,
    .upgrade = upgrade_global_lp_pool,
    .tolerance = {Tolerance::Kind::kSum, 16},
};

}  // namespace tenon::ops
