#include "ops/core/infer.h"
#include "ops/pad/pad.h"
#include "tensor/element.h"

namespace tenon::ops {

Status upgrade_pad(UpgradeContext& context) {
  if (context.since_version() >= 11) return upgrade_unchanged(context);
  Attributes attributes = context.attributes();
  const std::vector<int64_t> pads = attributes.integers(context.since_version() == 1 ? "paddings" : "pads");
  const float value = attributes.real("value", 0);
  for (const char* name : {"pads", "paddings", "value"}) attributes.erase(name);
  GraphBuilder& builder = context.builder();
  std::vector<ValueId> inputs = {context.input(0), builder.constant_ints(pads)};
  if (value != 0) {
    const DataType type = builder.element(context.input(0));
    if (type == DataType::kUndefined)
      return fail(ErrorCode::kUnsupported, "the element type of the input is not known");
    inputs.push_back(builder.constant_scalar(type, static_cast<double>(value)));
  }
  return context.finish(Op::kPad, std::move(inputs), std::move(attributes));
}

namespace {

// The pads input for all axes, where the opset has no axes input.
Result<std::string> pads_of_all_axes(EmitContext& context) {
  const auto& shape = context.input_type(0).shape;
  if (!shape) return context.unsupported(18, "axes of a tensor of unknown rank");
  const auto rank = static_cast<int64_t>(shape->size());
  const Tensor* axes_constant = context.constant(3);
  if (!axes_constant) return context.unsupported(18, "the axes are computed by the model");
  std::vector<int64_t> axes;
  for (int64_t axis : to_ints(*axes_constant)) axes.push_back(TENON_TRY(normalize_axis(axis, rank)));
  const size_t count = axes.size();
  std::vector<int64_t> both = axes;  // where each given pad goes in the full list
  for (int64_t axis : axes) both.push_back(rank + axis);
  std::vector<int64_t> all(static_cast<size_t>(2 * rank), 0);
  if (const Tensor* pads_constant = context.constant(1)) {
    const std::vector<int64_t> pads = to_ints(*pads_constant);
    if (pads.size() != 2 * count) return fail(ErrorCode::kInvalidModel, "pads does not fit axes");
    for (size_t i = 0; i < both.size(); ++i) all[static_cast<size_t>(both[i])] = pads[i];
    return context.constant(Tensor::from_ints(all), "pads");
  }
  return context.add("ScatterElements",
                     {context.constant(Tensor::from_ints(all), "pads"),
                      context.constant(Tensor::from_ints(both), "axes"), context.input(1)},
                     {}, DataType::kInt64);
}

}  // namespace

Status emit_pad(EmitContext& context) {
  const int opset = context.opset();
  if (opset >= 18) {
    if (opset < 19 && context.attributes().string("mode") == "wrap")
      return context.unsupported(19, "mode wrap");
    return emit_unchanged(context);
  }
  if (context.attributes().string("mode") == "wrap") return context.unsupported(19, "mode wrap");
  if (opset >= 11) {
    if (!context.has_input(3)) return emit_unchanged(context);
    std::vector<std::string> inputs = {context.input(0), TENON_TRY(pads_of_all_axes(context))};
    if (context.has_input(2)) inputs.push_back(context.input(2));
    return context.finish("Pad", std::move(inputs), context.attributes());
  }
  const Tensor* pads = context.constant(1);
  if (!pads || context.has_input(3)) return context.unsupported(11, "its pads are no plain constant");
  if (context.has_input(2) && !context.constant(2))
    return context.unsupported(11, "its value is computed by the model");
  Attributes attributes = context.attributes();
  attributes.set(opset >= 2 ? "pads" : "paddings", to_ints(*pads));
  if (context.has_input(2))
    attributes.set("value", static_cast<float>(load_element<double>(*context.constant(2), 0)));
  return context.finish("Pad", {context.input(0)}, attributes);
}

}  // namespace tenon::ops
