#include <vector>

#include "passes/pass.h"

namespace tenon::passes {

Result<GraphPatch> remove_dead_code(const Graph& graph, const PassContext&) {
  GraphPatch patch(graph);
  std::vector<bool> needed(graph.value_count(), false);
  for (ValueId id : graph.outputs) needed[index(id)] = true;
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    bool makes_needed = false;
    for (ValueId id : node.outputs) makes_needed |= id != kNoValue && needed[index(id)];
    if (!makes_needed) {
      patch.remove(n);
      continue;
    }
    for (ValueId id : node.inputs)
      if (id != kNoValue) needed[index(id)] = true;
    for (const auto& [attribute, body] : node.subgraphs)
      for (const Capture& capture : body->captures) needed[index(capture.outer)] = true;
  }
  for (size_t c = 0; c < graph.captures.size(); ++c)
    if (!needed[index(graph.captures[c].inner)]) patch.drop_capture(c);
  return patch;
}

Result<GraphPatch> import_constants(const Graph& graph, const PassContext& context) {
  GraphPatch patch(graph);
  if (context.outer == nullptr) return patch;
  for (size_t c = 0; c < graph.captures.size(); ++c)
    if (const Tensor* constant = context.outer->constant(graph.captures[c].outer))
      patch.import_capture(c, *constant);
  return patch;
}

}  // namespace tenon::passes
