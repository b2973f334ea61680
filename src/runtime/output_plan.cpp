#include "runtime/output_plan.h"

#include <algorithm>
#include <set>

#include "base/near_names.h"

namespace tenon {

namespace {

/// The value of that name in the compiled graph, if a run has it (values that passes left without a maker
/// keep their names in the graph).
ValueId find_alive(const EngineGraph& compiled, std::string_view name) {
  ValueId id = compiled.graph->find(name);
  if (id == kNoValue) return kNoValue;
  bool alive = compiled.is_constant(id) || compiled.producer[index(id)] >= 0 || compiled.graph->is_input(id);
  return alive ? id : kNoValue;
}

/// Whether the value exists between steps.
bool is_border(const EngineGraph& compiled, ValueId id) {
  int step = compiled.producer[index(id)];
  if (step < 0) return true;
  const auto& outputs = compiled.steps[static_cast<size_t>(step)].region.outputs;
  return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
}

/// The nodes among `nodes` that `wanted` needs, in the same order. `stop` says which values are there
/// already.
template <class Stop>
std::vector<const Node*> nodes_needed(const std::vector<const Node*>& nodes, std::vector<ValueId> wanted,
                                      const Stop& stop) {
  std::set<ValueId> needed(wanted.begin(), wanted.end());
  std::vector<const Node*> result;
  for (size_t n = nodes.size(); n-- > 0;) {
    const Node& node = *nodes[n];
    bool makes = std::any_of(node.outputs.begin(), node.outputs.end(),
                             [&](ValueId id) { return id != kNoValue && needed.contains(id); });
    if (!makes) continue;
    result.push_back(&node);
    auto use = [&](ValueId id) {
      if (id != kNoValue && !stop(id)) needed.insert(id);
    };
    for (ValueId id : node.inputs) use(id);
    for (const auto& [attribute, body] : node.subgraphs)
      for (const Capture& capture : body->captures) use(capture.outer);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

class Planner {
 public:
  explicit Planner(const Engine& engine) : engine_(engine), compiled_(engine.main()) {}

  Result<size_t> slot_of(const std::string& name) {
    auto found = slots_.find(name);
    if (found != slots_.end()) return found->second;
    if (ValueId id = find_alive(compiled_, name); id != kNoValue) return compiled_slot(name, id);
    ValueId id = engine_.original().graph.find(name);
    if (id == kNoValue) return unknown(name);
    return original_slot(name, id);
  }

  OutputPlan finish(std::vector<size_t> results) {
    plan_.results = std::move(results);
    auto by_step = [](const auto& a, const auto& b) { return a.step < b.step; };
    std::sort(plan_.taken.begin(), plan_.taken.end(), by_step);
    std::sort(plan_.recomputed.begin(), plan_.recomputed.end(), by_step);
    return std::move(plan_);
  }

 private:
  size_t new_slot(const std::string& name) { return slots_[name] = plan_.slot_count++; }

  Result<size_t> compiled_slot(const std::string& name, ValueId id) {
    int step = compiled_.producer[index(id)];
    if (is_border(compiled_, id)) {
      plan_.taken.push_back({step, id, new_slot(name)});
      return plan_.taken.back().slot;
    }
    const ops::Region& whole = compiled_.steps[static_cast<size_t>(step)].region;
    OutputPlan::Recomputed part;
    part.step = step;
    auto nodes = nodes_needed(whole.nodes, {id}, [&](ValueId input) {
      return std::find(whole.inputs.begin(), whole.inputs.end(), input) != whole.inputs.end();
    });
    part.region = make_region(*whole.graph, std::move(nodes), 0, {id});
    part.kernel = TENON_TRY(ReferenceKernel::make(part.region));
    part.output_slots = {new_slot(name)};
    plan_.recomputed.push_back(std::move(part));
    return plan_.slot_count - 1;
  }

  Result<size_t> original_slot(const std::string& name, ValueId id) {
    const Graph& graph = engine_.original().graph;
    std::vector<const Node*> all;
    for (const Node& node : graph.nodes) all.push_back(&node);
    auto nodes = nodes_needed(
        all, {id}, [&](ValueId input) { return find_alive(compiled_, graph.value(input).name) != kNoValue; });
    for (const Node* node : nodes)
      if (!node->subgraphs.empty())
        return at_node(
            fail(ErrorCode::kUnsupported, "value '{}' was optimised away around control flow", name),
            node->name, op_name(node->op));
    OutputPlan::Derived part;
    part.region = make_region(graph, std::move(nodes), 0, {id});
    part.kernel = TENON_TRY(ReferenceKernel::make(part.region));
    for (ValueId input : part.region.inputs)
      part.input_slots.push_back(TENON_TRY(slot_of(graph.value(input).name)));
    part.output_slots = {new_slot(name)};
    plan_.derived.push_back(std::move(part));
    return plan_.slot_count - 1;
  }

  Error unknown(const std::string& name) const {
    std::vector<std::string> names;
    const Graph& graph = engine_.original().graph;
    for (size_t i = 0; i < graph.value_count(); ++i)
      names.push_back(graph.value(ValueId{static_cast<uint32_t>(i)}).name);
    return with_hint(fail(ErrorCode::kUsage, "the model has no value named '{}'", name),
                     near_names_hint(name, names));
  }

  const Engine& engine_;
  const EngineGraph& compiled_;
  OutputPlan plan_;
  std::unordered_map<std::string, size_t> slots_;
};

}  // namespace

Availability availability(const Engine& engine, std::string_view name) {
  if (ValueId id = find_alive(engine.main(), name); id != kNoValue)
    return is_border(engine.main(), id) ? Availability::kReady : Availability::kRecomputed;
  return engine.original().graph.find(name) == kNoValue ? Availability::kUnknownName
                                                        : Availability::kRecomputed;
}

Result<OutputPlan> plan_outputs(const Engine& engine, const std::vector<std::string>& names) {
  Planner planner(engine);
  std::vector<size_t> results;
  for (const std::string& name : names) results.push_back(TENON_TRY(planner.slot_of(name)));
  return planner.finish(std::move(results));
}

}  // namespace tenon
