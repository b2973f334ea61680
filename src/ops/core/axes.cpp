#include "ops/core/axes.h"

#include <algorithm>

#include "tensor/element.h"

namespace tenon::ops {

Result<std::vector<int64_t>> normalize_axes(std::vector<int64_t> axes, int64_t rank) {
  for (int64_t& axis : axes) axis = TENON_TRY(normalize_axis(axis, rank));
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
    return fail(ErrorCode::kInvalidModel, "an axis is named twice");
  return axes;
}

Status emit_axis(EmitContext& context, std::optional<int64_t> rank) {
  int64_t axis = context.attributes().integer("axis");
  if (context.opset() >= 11 || axis >= 0) return emit_unchanged(context);
  if (!rank) return context.unsupported(11, "a negative axis of a tensor of unknown rank");
  Attributes attributes = context.attributes();
  attributes.set("axis", TENON_TRY(normalize_axis(axis, *rank)));
  return context.finish(op_name(context.node().op), context.inputs(), attributes);
}

Status emit_axis_of_first(EmitContext& context) {
  return emit_axis(context, rank_of(context.input_type(0)));
}

void move_axes_to_input(UpgradeContext& context, std::vector<ValueId>& inputs, Attributes& attributes) {
  const AttributeValue* axes = attributes.find("axes");
  if (axes == nullptr) return;
  inputs.resize(2, kNoValue);
  inputs[1] = context.builder().constant_ints(attributes.integers("axes"));
  attributes.erase("axes");
}

Status emit_axes_attribute(EmitContext& context, int since) {
  Attributes attributes = context.attributes();
  if (context.has_input(1)) {
    const Tensor* axes = context.constant(1);
    if (axes == nullptr) return context.unsupported(since, "axes that are computed by the model");
    std::vector<int64_t> values = to_ints(*axes);
    if (context.opset() < 11 && std::any_of(values.begin(), values.end(), [](int64_t v) { return v < 0; })) {
      std::optional<int64_t> rank = rank_of(context.input_type(0));
      if (context.node().op == Op::kUnsqueeze) rank = rank_of(context.output_type(0));
      if (!rank) return context.unsupported(11, "a negative axis of a tensor of unknown rank");
      values = TENON_TRY(normalize_axes(std::move(values), *rank));
    }
    attributes.set("axes", std::move(values));
  }
  return context.finish(op_name(context.node().op), {context.input(0)}, attributes);
}

}  // namespace tenon::ops
