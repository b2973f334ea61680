#include "ops/core/upgrade_attributes.h"

#include "ops/core/registry.h"

namespace tenon::ops {

Status upgrade_attributes(UpgradeContext& context) {
  if (!context.attributes().has("consumed_inputs")) return upgrade_unchanged(context);
  Attributes attributes = context.attributes();
  attributes.erase("consumed_inputs");
  const OpDef* def = find_op(context.schema().domain, context.schema().name);
  return context.finish(op_of(*def), context.inputs(), std::move(attributes));
}

}  // namespace tenon::ops
