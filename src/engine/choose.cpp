#include "engine/choose.h"

#include "engine/reference_kernel.h"
#include "ops/core/registry.h"

namespace tenon {

namespace {

/// The first row that takes the region, prepared; null when none does.
Result<bool> try_rows(const ops::Region& region, const EngineOptions& options, Step& step) {
  const Node& anchor = region.anchor_node();
  for (const ops::KernelRow& row : ops::op_def(anchor.op).rows) {
    if (row.isa > options.isa || !row.fits(region)) continue;
    auto kernel = row.prepare(region);
    if (!kernel.ok()) return at_node(std::move(kernel.error()), anchor.name, op_name(anchor.op));
    step.kernel = std::move(*kernel);
    step.row = row.name;
    return true;
  }
  return false;
}

/// The region without its last node: what the last node read from it is now its output.
ops::Region without_last(const ops::Region& region) {
  std::vector<const Node*> nodes(region.nodes.begin(), region.nodes.end() - 1);
  std::vector<ValueId> outputs;
  for (ValueId id : nodes.back()->outputs)
    if (id != kNoValue) outputs.push_back(id);
  return make_region(*region.graph, std::move(nodes), region.anchor, std::move(outputs));
}

}  // namespace

Status add_steps(ops::Region region, const EngineOptions& options, std::vector<Step>& steps) {
  std::vector<const Node*> rest;  // cut off, last first
  Step step;
  if (!options.references_only) {
    while (!TENON_TRY(try_rows(region, options, step)) && !region.is_single()) {
      rest.push_back(region.nodes.back());
      region = without_last(region);
    }
  }
  if (step.kernel == nullptr) {
    step.kernel = TENON_TRY(ReferenceKernel::make(region));
    step.row = "reference";
  }
  const Graph& graph = *region.graph;
  step.region = std::move(region);
  steps.push_back(std::move(step));
  for (; !rest.empty(); rest.pop_back()) {
    std::vector<ValueId> outputs;
    for (ValueId id : rest.back()->outputs)
      if (id != kNoValue) outputs.push_back(id);
    TENON_TRY(add_steps(make_region(graph, {rest.back()}, 0, std::move(outputs)), options, steps));
  }
  return {};
}

}  // namespace tenon
