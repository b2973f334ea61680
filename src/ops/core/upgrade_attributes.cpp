#include "ops/core/upgrade_attributes.h"

#include "ops/core/registry.h"

namespace tenon::ops {

Status finish_in_float64(UpgradeContext& context, Op op, std::vector<ValueId> inputs, Attributes attributes) {
  const DataType type = context.builder().element(inputs[0]);
  if (type == DataType::kUndefined || newest_schema(op).input(0)->types.has_tensor(type))
    return context.finish(op, std::move(inputs), std::move(attributes));
  const auto wide = static_cast<int64_t>(DataType::kFloat64);
  inputs[0] = TENON_TRY(context.add(Op::kCast, {inputs[0]}, {{"to", wide}}));
  const ValueId result = TENON_TRY(context.add(op, std::move(inputs), std::move(attributes)));
  return context.finish(Op::kCast, {result}, {{"to", static_cast<int64_t>(type)}});
}

Status upgrade_attributes(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  attributes.erase("consumed_inputs");
  const OpDef* def = find_op(context.schema().domain, context.schema().name);
  if (context.input_count() == 0) return upgrade_unchanged(context);
  return finish_in_float64(context, op_of(*def), context.inputs(), std::move(attributes));
}

}  // namespace tenon::ops
