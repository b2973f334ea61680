#include "ops/pool/pool.h"

namespace tenon::ops {

Result<PoolPlan> plan_pool(const Attributes& attributes, const Tensor& x) {
  if (x.rank() < 3) return fail(ErrorCode::kInvalidModel, "X has rank {}, expected at least 3", x.rank());
  PoolPlan plan;
  const Window window = TENON_TRY(read_pool_window(attributes, static_cast<size_t>(x.rank()) - 2));
  plan.axes = TENON_TRY(resolve_window(window, x.shape().data() + 2));
  plan.planes = x.dim(0) * x.dim(1);
  plan.shape = {x.dim(0), x.dim(1)};
  for (const WindowAxis& axis : plan.axes) {
    plan.input_size *= axis.input;
    plan.output_sizes.push_back(axis.output);
    plan.shape.push_back(axis.output);
  }
  TENON_TRY(element_count(plan.shape));
  for (int64_t size : plan.output_sizes) plan.output_size *= size;
  return plan;
}

Status infer_pool(InferContext& context, size_t output, DataType element) {
  const SymShape* x = context.shape(0);
  if (!x) {
    context.set_output(output, element);
    return {};
  }
  if (x->size() < 3) return fail(ErrorCode::kInvalidModel, "X has rank {}, expected at least 3", x->size());
  const Window window = TENON_TRY(read_pool_window(context.attributes(), x->size() - 2));
  context.set_output(output, element, TENON_TRY(pooled_shape(window, *x)));
  return {};
}

Status emit_pool(EmitContext& context) {
  Attributes attributes = context.attributes();
  const std::vector<int64_t> dilations = attributes.integers("dilations");
  const bool trivial = std::all_of(dilations.begin(), dilations.end(), [](int64_t d) { return d == 1; });
  if (trivial) attributes.erase("dilations");
  const Schema* schema = find_schema("", op_name(context.node().op), context.opset());
  if (!schema) return emit_unchanged(context);
  for (const char* name : {"dilations", "ceil_mode", "storage_order", "count_include_pad"}) {
    if (!attributes.has(name) || schema->attribute(name)) continue;
    if (std::string_view(name) != "dilations" && attributes.integer(name) == 0) {
      attributes.erase(name);
      continue;
    }
    for (const Schema& version : schema_versions("", op_name(context.node().op)))
      if (version.attribute(name)) return context.unsupported(version.since_version, name);
  }
  return context.finish(op_name(context.node().op), context.inputs(), attributes);
}

}  // namespace tenon::ops
