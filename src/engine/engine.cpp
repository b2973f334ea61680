#include "engine/engine.h"

#include <unordered_set>

#include "base/progress.h"
#include "engine/choose.h"
#include "engine/partition.h"

namespace tenon {

namespace {

constexpr int kMaxDepth = 64;

void find_last_uses(EngineGraph& compiled) {
  const Graph& graph = *compiled.graph;
  std::unordered_set<ValueId> alive(graph.outputs.begin(), graph.outputs.end());
  for (size_t s = compiled.steps.size(); s-- > 0;) {
    Step& step = compiled.steps[s];
    auto use = [&](ValueId id) {
      if (alive.insert(id).second) step.dies.push_back(id);
    };
    for (ValueId id : step.region.outputs) use(id);  // made, and never used
    for (ValueId id : step.region.inputs) use(id);
  }
}

/// A value is made by the step that puts it out; one inside regions, by the first of them.
void note_producer(size_t step, ValueId id, EngineGraph& compiled) {
  const std::vector<ValueId>& outputs = compiled.steps[step].region.outputs;
  int& producer = compiled.producer[index(id)];
  if (producer < 0 || std::ranges::find(outputs, id) != outputs.end()) producer = static_cast<int>(step);
}

Result<std::unique_ptr<EngineGraph>> compile_graph(const Graph& graph, const EngineOptions& options,
                                                   Choice& choice, const ProgressFunction& progress,
                                                   int depth) {
  if (depth > kMaxDepth)
    return fail(ErrorCode::kLimit, "control flow is nested more than {} deep", kMaxDepth);
  auto compiled = std::make_unique<EngineGraph>();
  compiled->graph = &graph;
  compiled->constants.resize(graph.value_count());
  std::unordered_set<ValueId> inputs(graph.inputs.begin(), graph.inputs.end());
  for (size_t i = 0; i < graph.value_count(); ++i) {
    auto id = ValueId{static_cast<uint32_t>(i)};
    if (graph.value(id).constant && !inputs.contains(id)) compiled->constants[i] = *graph.value(id).constant;
  }
  compiled->producer.assign(graph.value_count(), -1);
  compiled->stored.resize(graph.value_count());
  std::vector<ops::Region> regions = partition(graph, options);
  for (size_t r = 0; r < regions.size(); ++r) {
    if (depth == 0) tell(progress, "steps prepared", r, regions.size());
    TENON_TRY(add_steps(std::move(regions[r]), options, choice, *compiled));
  }
  for (size_t s = 0; s < compiled->steps.size(); ++s)
    for (const Node* node : compiled->steps[s].region.nodes)
      for (ValueId id : node->outputs)
        if (id != kNoValue) note_producer(s, id, *compiled);
  find_last_uses(*compiled);
  for (const Node& node : graph.nodes)
    for (const auto& [attribute, body] : node.subgraphs)
      if (compiled->body(body.get()) == nullptr)
        compiled->bodies.push_back(TENON_TRY(compile_graph(*body, options, choice, progress, depth + 1)));
  return compiled;
}

void add_bytes(const EngineGraph& graph, uint64_t& weights, uint64_t& packed) {
  for (const Value& value : graph.constants)
    if (value.is_tensor() && value.tensor().defined()) weights += value.tensor().bytes();
  for (const Step& step : graph.steps)
    for (const kernels::PackedFloats& floats : step.packed) packed += floats.bytes();
  for (const auto& body : graph.bodies) add_bytes(*body, weights, packed);
}

}  // namespace

const EngineGraph* EngineGraph::body(const Graph* subgraph) const {
  for (const auto& candidate : bodies)
    if (candidate->graph == subgraph) return candidate.get();
  return nullptr;
}

Result<std::shared_ptr<const Engine>> Engine::compile(std::shared_ptr<const TypedModel> original,
                                                      TypedModel optimised, const EngineOptions& options,
                                                      const ProgressFunction& progress) {
  Choice choice;
  return compile(std::move(original), std::move(optimised), options, choice, progress);
}

Result<std::shared_ptr<const Engine>> Engine::compile(std::shared_ptr<const TypedModel> original,
                                                      TypedModel optimised, const EngineOptions& options,
                                                      Choice& choice, const ProgressFunction& progress) {
  auto engine = std::shared_ptr<Engine>(new Engine);
  engine->original_ = std::move(original);
  engine->model_ = std::move(optimised);
  engine->options_ = options;
  engine->main_ = TENON_TRY(compile_graph(engine->model_.graph, options, choice, progress, 0));
  return std::shared_ptr<const Engine>(std::move(engine));
}

uint64_t Engine::weight_bytes() const {
  uint64_t weights = 0;
  uint64_t packed = 0;
  add_bytes(*main_, weights, packed);
  return weights;
}

uint64_t Engine::packed_bytes() const {
  uint64_t weights = 0;
  uint64_t packed = 0;
  add_bytes(*main_, weights, packed);
  return packed;
}

}  // namespace tenon
