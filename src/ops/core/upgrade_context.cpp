#include "ops/core/registry.h"
#include "ops/core/versions.h"

namespace tenon::ops {

Status UpgradeContext::finish(Op op, std::vector<ValueId> inputs, Attributes attributes) {
  return finish(op, std::move(inputs), std::move(attributes), outputs_);
}

Status UpgradeContext::finish(Op op, std::vector<ValueId> inputs, Attributes attributes,
                              std::vector<ValueId> outputs) {
  Node node = std::move(shell_);
  node.op = op;
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.attributes = std::move(attributes);
  while (!node.outputs.empty() && node.outputs.back() == kNoValue &&
         static_cast<int>(node.outputs.size()) > newest_schema(op).min_outputs)
    node.outputs.pop_back();
  return builder_.add_node(std::move(node));
}

Status upgrade_unchanged(UpgradeContext& context) {
  const OpDef* def = find_op(context.domain(), context.name());
  if (!def) return fail(ErrorCode::kUnsupported, "operator {} is not supported", context.name());
  return context.finish(op_of(*def), context.inputs(), context.attributes());
}

}  // namespace tenon::ops
