#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ops/core/registry.h"
#include "passes/pass.h"

namespace tenon::passes {

namespace {

/// Whether output 0 of the node is its input 0, element for element.
bool hands_on_input(const Graph& graph, const Node& node) {
  std::string_view name = op_name(node.op);
  if (name == "Identity") return true;
  if (name == "Dropout") {
    // Without a training_mode that may be true, and with nobody asking for the mask.
    if (node.has_output(1)) return false;
    if (!node.has_input(2)) return true;
    const Tensor* training = graph.constant(node.inputs[2]);
    return training != nullptr && training->size() == 1 && training->raw()[0] == std::byte{0};
  }
  if (name == "Cast") {
    const ValueType& in = graph.value(node.inputs[0]).type;
    return in.is_tensor() && in.element != DataType::kUndefined &&
           static_cast<int64_t>(in.element) == node.attributes.integer("to");
  }
  if (name == "Concat" || name == "Sum" || name == "Max" || name == "Min" || name == "Mean")
    return node.inputs.size() == 1;
  return false;
}

}  // namespace

Result<GraphPatch> remove_identities(const Graph& graph, const PassContext&) {
  GraphPatch patch(graph);
  std::unordered_map<ValueId, ValueId> sources;  // what each removed value is
  std::unordered_set<ValueId> renamed;           // values that take over the name of an output
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    if (!node.has_input(0) || !node.has_output(0) || !hands_on_input(graph, node)) continue;
    ValueId source = node.inputs[0];
    if (auto known = sources.find(source); known != sources.end()) source = known->second;
    ValueId result = node.outputs[0];
    bool is_output = std::find(graph.outputs.begin(), graph.outputs.end(), result) != graph.outputs.end();
    if (is_output && (!can_replace(graph, result, source) || !renamed.insert(source).second)) continue;
    sources[result] = source;
    patch.replace(result, source);
    patch.remove(n);
  }
  return patch;
}

}  // namespace tenon::passes
