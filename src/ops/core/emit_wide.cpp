#include "ops/core/emit_wide.h"

#include <array>

#include "tensor/element.h"

namespace tenon::ops {

namespace {

using enum DataType;

constexpr std::array kAboveHalf{kFloat32, kFloat64};
constexpr std::array kAboveFloat{kFloat64};
constexpr std::array kAboveSmall{kInt32, kInt64, kFloat32, kFloat64};
constexpr std::array kAboveInt32{kInt64, kFloat64};
constexpr std::array kAboveUInt32{kInt64, kUInt64, kFloat64};

// The first opset whose version of the operator takes `type` as input 0; the newest when none does.
int first_opset_with(std::string_view name, DataType type) {
  for (const Schema& schema : schema_versions("", name)) {
    const SchemaParameter* first = schema.input(0);
    if (first != nullptr && first->types.has_tensor(type)) return schema.since_version;
  }
  return kNewestOpset;
}

Result<std::string> add_cast(EmitContext& context, const std::string& name, DataType to) {
  return context.add("Cast", {name}, {{"to", static_cast<int64_t>(to)}}, to);
}

Status emit_through(EmitContext& context, bool through_float) {
  const std::string_view name = op_name(context.node().op);
  const Schema* schema = find_schema("", name, context.opset());
  if (schema == nullptr) return context.unsupported(schema_versions("", name).front().since_version);
  const DataType type = context.input_type(0).element;
  const SchemaParameter* first = schema->input(0);
  if (type == kUndefined || first == nullptr || first->types.has_tensor(type)) return emit_unchanged(context);
  DataType wide = kUndefined;
  for (DataType candidate : wider_types(type, through_float)) {
    if (first->types.has_tensor(candidate)) {
      wide = candidate;
      break;
    }
  }
  if (wide == kUndefined) return context.unsupported(first_opset_with(name, type));

  std::vector<std::string> inputs = context.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].empty() || schema->input(i)->type != first->type) continue;
    inputs[i] = TENON_TRY(add_cast(context, inputs[i], wide));
  }
  Attributes attributes;
  for (const auto& [key, value] : context.attributes())
    if (schema->attribute(key) != nullptr) attributes.set(key, value);
  if (schema->output(0)->type != first->type) return context.finish(name, std::move(inputs), attributes);
  const std::string result = TENON_TRY(context.add(name, std::move(inputs), attributes, wide));
  return context.finish("Cast", {result}, {{"to", static_cast<int64_t>(type)}});
}

}  // namespace

std::span<const DataType> wider_types(DataType type, bool through_float) {
  switch (type) {
    case kFloat16:
    case kBFloat16:
    case kFloat8E4M3FN:
    case kFloat8E4M3FNUZ:
    case kFloat8E5M2:
    case kFloat8E5M2FNUZ:
      return kAboveHalf;
    case kFloat32:
      return kAboveFloat;
    case kInt8:
    case kUInt8:
    case kInt16:
    case kUInt16:
    case kBool:
      return std::span(kAboveSmall).first(through_float ? 4 : 2);
    case kInt32:
      return std::span(kAboveInt32).first(through_float ? 2 : 1);
    case kUInt32:
      return std::span(kAboveUInt32).first(through_float ? 3 : 2);
    default:
      return {};
  }
}

Status emit_wide(EmitContext& context) {
  return emit_through(context, false);
}

Status emit_wide_ordered(EmitContext& context) {
  return emit_through(context, true);
}

}  // namespace tenon::ops
