#include "engine/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "ops/core/builder.h"
#include "ops/core/registry.h"

namespace tenon {

namespace {

constexpr size_t kAlignment = 64;

/// For each value the value whose bytes it shares (itself when its bytes are its own): outputs of operators
/// that are views share with their first input.
std::vector<ValueId> find_roots(const EngineGraph& compiled) {
  std::vector<ValueId> roots(compiled.graph->value_count());
  for (size_t i = 0; i < roots.size(); ++i) roots[i] = ValueId{static_cast<uint32_t>(i)};
  for (const Step& step : compiled.steps) {
    if (!step.region.is_single() || step.reorders > 0) continue;  // reordered inputs are copies
    const Node& node = *step.region.nodes[0];
    if (ops::op_def(node.op).traits.view && node.has_input(0) && node.has_output(0))
      roots[index(node.outputs[0])] = roots[index(node.inputs[0])];
  }
  return roots;
}

/// The shape that a tensor is stored in, when every dimension is known, with its size in bytes.
struct Known {
  Shape shape;
  size_t bytes = 0;
};
std::optional<Known> known_size(const ValueType& type, const StoredAs& stored) {
  if (!type.is_tensor() || !type.shape || type.element == DataType::kString ||
      type.element == DataType::kUndefined)
    return std::nullopt;
  auto shape = constant_shape(*type.shape);
  if (!shape) return std::nullopt;
  *shape = stored_shape(stored, *shape);
  auto count = element_count(*shape);
  size_t bytes = 0;
  if (!count.ok() || __builtin_mul_overflow(static_cast<size_t>(*count), element_size(type.element), &bytes))
    return std::nullopt;
  return Known{std::move(*shape), bytes};
}

}  // namespace

Placement place(std::span<const Lifetime> lifetimes) {
  Placement result;
  result.offsets.assign(lifetimes.size(), 0);
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return lifetimes[a].bytes != lifetimes[b].bytes ? lifetimes[a].bytes > lifetimes[b].bytes : a < b;
  });
  std::vector<size_t> placed;  // by offset
  for (size_t i : order) {
    const Lifetime& lifetime = lifetimes[i];
    size_t best = SIZE_MAX;
    size_t best_gap = SIZE_MAX;
    size_t end = 0;  // of the occupied part so far
    for (size_t j : placed) {
      if (lifetimes[j].last < lifetime.first || lifetimes[j].first > lifetime.last) continue;
      size_t begin = result.offsets[j];
      if (begin > end && begin - end >= lifetime.bytes && begin - end < best_gap) {
        best = end;
        best_gap = begin - end;
      }
      size_t past = begin + lifetimes[j].bytes;
      end = std::max(end, (past + kAlignment - 1) / kAlignment * kAlignment);
    }
    result.offsets[i] = best == SIZE_MAX ? end : best;
    result.bytes = std::max(result.bytes, result.offsets[i] + lifetime.bytes);
    auto position = std::upper_bound(placed.begin(), placed.end(), i, [&](size_t a, size_t b) {
      return result.offsets[a] < result.offsets[b];
    });
    placed.insert(position, i);
  }
  return result;
}

Result<std::shared_ptr<const MemoryPlan>> plan_memory(const EngineGraph& compiled,
                                                      std::span<const ValueType> inputs) {
  const Graph& graph = *compiled.graph;
  std::vector<ops::ValueFacts> input_facts;
  for (const ValueType& type : inputs) input_facts.push_back({type, std::nullopt, std::nullopt});
  std::vector<ops::ValueFacts> facts = TENON_TRY(ops::infer_with(graph, input_facts));

  std::vector<ValueId> roots = find_roots(compiled);
  std::vector<int> last(graph.value_count(), -1);
  std::vector<bool> escapes(graph.value_count(), false);
  // An output that is stored blocked leaves as a plain copy.
  for (ValueId id : graph.outputs)
    if (compiled.stored[index(id)].layout == ops::Layout::kPlain) escapes[index(roots[index(id)])] = true;
  for (size_t s = 0; s < compiled.steps.size(); ++s) {
    const ops::Region& region = compiled.steps[s].region;
    for (const auto* ids : {&region.inputs, &region.outputs})
      for (ValueId id : *ids) last[index(roots[index(id)])] = static_cast<int>(s);
  }

  auto plan = std::make_shared<MemoryPlan>();
  plan->slots.resize(graph.value_count());
  plan->views.resize(graph.value_count());
  for (size_t i = 0; i < roots.size(); ++i) plan->views[i] = index(roots[i]) != i;
  std::vector<Lifetime> lifetimes;
  std::vector<size_t> owners;
  for (size_t s = 0; s < compiled.steps.size(); ++s) {
    for (ValueId id : compiled.steps[s].region.outputs) {
      size_t i = index(id);
      if (escapes[i] || roots[i] != id) continue;
      auto known = known_size(facts[i].type, compiled.stored[i]);
      if (!known) continue;
      plan->slots[i] = MemoryPlan::Slot{facts[i].type.element, std::move(known->shape), 0};
      lifetimes.push_back({known->bytes, static_cast<int>(s), last[i]});
      owners.push_back(i);
    }
  }
  Placement placement = place(lifetimes);
  for (size_t k = 0; k < owners.size(); ++k) plan->slots[owners[k]]->offset = placement.offsets[k];
  plan->bytes = placement.bytes;
  return std::shared_ptr<const MemoryPlan>(std::move(plan));
}

}  // namespace tenon
