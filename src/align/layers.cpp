#include "align/layers.h"

#include <algorithm>
#include <cmath>

#include "align/compare.h"
#include "align/rounding.h"
#include "base/progress.h"
#include "base/thread_pool.h"
#include "ops/core/evaluate.h"
#include "runtime/session_state.h"
#include "tensor/element.h"

namespace tenon::alignment {

namespace {

/// What a kernel needs when it runs apart from a session.
class ApartServices final : public ops::RunServices {
 public:
  explicit ApartServices(int threads) : threads_(threads) {}
  Tensor allocate_output(size_t, DataType type, Shape shape) override {
    return Tensor::allocate(type, std::move(shape));
  }
  void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) override {
    tenon::parallel_for(threads_, count, grain, body);
  }
  int threads() const override { return threads_; }
  std::byte* scratch(size_t bytes) override {
    const std::lock_guard lock(mutex_);
    return scratch_.emplace_back(Tensor::allocate(DataType::kUInt8, {static_cast<int64_t>(bytes)}))
        .mutable_raw();
  }
  Result<std::vector<Value>> run_subgraph(const Node& node, std::string_view, std::vector<Value>) override {
    return at_node(fail(ErrorCode::kUnsupported, "control flow is not run apart"), node.name,
                   op_name(node.op));
  }
  uint64_t random_seed() override { return 0; }
  Status interrupted() override { return {}; }

 private:
  int threads_;
  std::mutex mutex_;
  std::vector<Tensor> scratch_;
};

bool is_wide(const Value& value) {
  return value.is_tensor() && value.tensor().type() == DataType::kFloat64;
}

/// One step run apart: its kernel, and its nodes in float64 with a bound for the rounding of each.
class IsolatedStep {
 public:
  IsolatedStep(const EngineGraph& compiled, const Step& step, const Inside& inside)
      : compiled_(compiled), step_(step), inside_(inside) {}

  /// Runs both on the exact inputs rounded to the types of the model. False when the step cannot be run
  /// apart.
  Result<bool> run(int threads) {
    const ops::Region& region = step_.region;
    const bool has_bodies =
        std::ranges::any_of(region.nodes, [](const Node* node) { return !node->subgraphs.empty(); });
    if (has_bodies || step_.row == "reference") return false;
    std::vector<Value> inputs;
    for (ValueId id : region.inputs) {
      const GraphValue& value = region.graph->value(id);
      const Value* exact = inside_.exact(value.name);
      if (exact == nullptr) return false;
      inputs.push_back(narrowed(*exact, value.type.element));
      wide_[id] = widened(inputs.back());
      if (inputs.back().is_tensor())
        inputs.back() = stored_copy(compiled_.stored[index(id)], inputs.back().tensor(), threads);
    }
    options_.parallel_for = [threads](int64_t count, int64_t grain, const auto& body) {
      tenon::parallel_for(threads, count, grain, body);
    };
    std::vector<const Value*> pointers;
    for (const Value& input : inputs) pointers.push_back(&input);
    outputs_.resize(region.outputs.size());
    ApartServices services(threads);
    ops::KernelContext context(region.anchor_node(), pointers, outputs_, services);
    TENON_TRY(step_.kernel->run(context));
    for (size_t o = 0; o < outputs_.size(); ++o)
      if (outputs_[o].is_tensor())
        outputs_[o] = plain_copy(compiled_.stored[index(region.outputs[o])], outputs_[o].tensor(), threads);
    for (const Node* node : region.nodes) TENON_TRY(evaluate_wide(*node));
    return true;
  }

  /// max |kernel - exact|, and the largest share of its bound that an element takes.
  std::pair<double, double> error(size_t output) const {
    const ValueId id = step_.region.outputs[output];
    const Value& value = outputs_[output];
    const auto exact = wide_.find(id);
    if (exact == wide_.end() || !value.is_tensor() || !is_wide(exact->second)) return {0, 0};
    const std::vector<double> a = to_doubles(value.tensor()), e = to_doubles(exact->second.tensor());
    if (a.size() != e.size()) return {HUGE_VAL, HUGE_VAL};
    const std::vector<double> bounds = bounds_of(id, outputs_[output].tensor().shape());
    double largest = 0, use = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i] == e[i] || (std::isnan(a[i]) && std::isnan(e[i]))) continue;
      const double difference =
          std::isfinite(a[i]) && std::isfinite(e[i]) ? std::fabs(a[i] - e[i]) : HUGE_VAL;
      largest = std::max(largest, difference);
      const double allowed = bounds.empty() ? 0 : bounds[i];
      use = std::max(use, allowed > 0 ? difference / allowed : HUGE_VAL);
    }
    return {largest, use};
  }

 private:
  const Tensor* bound_of(ValueId id) const {
    const auto found = bounds_.find(id);
    return found == bounds_.end() ? nullptr : &found->second;
  }

  /// The bound of each element of an output; empty when there is none.
  std::vector<double> bounds_of(ValueId id, const Shape& shape) const {
    const Tensor* bound = bound_of(id);
    if (bound == nullptr) return {};
    std::vector<double> bounds = to_doubles(*bound);
    if (!step_.spreads || shape.size() != 4) return bounds;
    const int64_t pixels = shape[2] * shape[3];
    for (auto plane = bounds.begin(); plane != bounds.end() && pixels > 0; plane += pixels)
      std::fill_n(plane, pixels, *std::max_element(plane, plane + pixels));
    return bounds;
  }

  /// The nodes of the widened graph that stand for a node, and the bounds of their outputs: their own, and
  /// what the bounds of their inputs become on the way through.
  Status evaluate_wide(const Node& node) {
    const WideGraph& wide = inside_.wide();
    const auto i = static_cast<size_t>(&node - step_.region.graph->nodes.data());
    for (size_t n = wide.first[i]; n < wide.first[i + 1]; ++n) TENON_TRY(evaluate_one(wide.graph.nodes[n]));
    return {};
  }

  Status evaluate_one(const Node& node) {
    const Graph& graph = inside_.wide().graph;
    std::vector<Value> constants(node.inputs.size());
    std::vector<const Value*> inputs(node.inputs.size(), nullptr);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!node.has_input(i)) continue;
      if (const Tensor* constant = graph.constant(node.inputs[i])) {
        constants[i] = *constant;
        inputs[i] = &constants[i];
      } else {
        inputs[i] = &wide_[node.inputs[i]];
      }
    }
    std::vector<Value> outputs = TENON_TRY(ops::evaluate_node(node, inputs, options_));
    std::vector<DataType> types;
    for (ValueId id : node.outputs) {
      const bool known = id != kNoValue && index(id) < inside_.graph().value_count();
      types.push_back(known ? inside_.graph().value(id).type.element : DataType::kFloat64);
    }
    std::vector<Tensor> bounds =
        TENON_TRY(rounding_bounds(node, inputs, outputs, types, Bound::kCertain, options_));
    for (size_t i = 0; i < inputs.size(); ++i)
      if (node.has_input(i))
        if (const Tensor* bound = bound_of(node.inputs[i]))
          TENON_TRY(carry(node, inputs, i, *bound, outputs, bounds));
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (!node.has_output(o)) continue;
      wide_[node.outputs[o]] = std::move(outputs[o]);
      if (bounds[o].defined()) bounds_[node.outputs[o]] = std::move(bounds[o]);
    }
    return {};
  }

  /// Adds what an error of at most `error` in input i makes of the outputs: what the node gives at both ends.
  Status carry(const Node& node, std::vector<const Value*> inputs, size_t i, const Tensor& error,
               const std::vector<Value>& outputs, std::vector<Tensor>& bounds) {
    for (double sign : {1.0, -1.0}) {
      const Tensor& x = inputs[i]->tensor();
      Tensor moved = Tensor::allocate(DataType::kFloat64, x.shape());
      for (int64_t k = 0; k < x.size(); ++k)
        moved.mutable_data<double>()[k] = x.data<double>()[k] + sign * error.data<double>()[k];
      Value value = std::move(moved);
      std::vector<const Value*> changed = inputs;
      changed[i] = &value;
      const auto results = TENON_TRY(ops::evaluate_node(node, changed, options_));
      for (size_t o = 0; o < results.size(); ++o) {
        if (!bounds[o].defined() || results[o].tensor().shape() != outputs[o].tensor().shape()) continue;
        for (int64_t k = 0; k < bounds[o].size(); ++k)
          bounds[o].mutable_data<double>()[k] +=
              std::fabs(results[o].tensor().data<double>()[k] - outputs[o].tensor().data<double>()[k]);
      }
    }
    return {};
  }

  const EngineGraph& compiled_;
  const Step& step_;
  const Inside& inside_;
  ops::EvaluateOptions options_;
  std::vector<Value> outputs_;
  std::unordered_map<ValueId, Value> wide_;
  std::unordered_map<ValueId, Tensor> bounds_;
};

LayerComparison describe_step(const Step& step, const std::string& name) {
  const Node& anchor = step.region.anchor_node();
  LayerComparison layer;
  layer.name = name;
  layer.node = anchor.name.empty() ? name : anchor.name;
  layer.op = op_name(anchor.op);
  for (size_t i = 0; i < step.region.nodes.size(); ++i)
    if (i != step.region.anchor) layer.op += fmt::format(" + {}", op_name(step.region.nodes[i]->op));
  if (anchor.provenance) {
    layer.source = anchor.provenance->source_line;
    layer.module = anchor.provenance->module_path;
  }
  layer.kernel = step.row;
  return layer;
}

}  // namespace

Result<std::vector<LayerComparison>> compare_layers(const Session& session, const Sample& inputs,
                                                    const Inside& inside, const NamedValues& reference,
                                                    NamedValues* session_values,
                                                    const ProgressFunction& progress) {
  const EngineGraph& compiled = session.state().engine->main();
  std::vector<std::string> names;
  for (const Step& step : compiled.steps)
    for (ValueId id : step.region.outputs) names.push_back(compiled.graph->value(id).name);
  const Sample values = TENON_TRY(session.run(inputs, names));

  std::vector<LayerComparison> layers;
  size_t next = 0;
  for (const Step& step : compiled.steps) {
    tell(progress, "layers", static_cast<size_t>(&step - compiled.steps.data()), compiled.steps.size());
    IsolatedStep isolated(compiled, step, inside);
    const bool apart = TENON_TRY(isolated.run(session.threads()));
    for (size_t o = 0; o < step.region.outputs.size(); ++o) {
      const NamedValue& actual = values[next++];
      if (session_values != nullptr) session_values->emplace(actual.name, actual.value);
      const Value* exact = inside.exact(actual.name);
      if (exact == nullptr || !exact->is_tensor() || !actual.value.is_tensor()) continue;
      const Tensor& a = actual.value.tensor();
      const Tensor& e = exact->tensor();
      if (a.is_string() || compute_kind(a.type()) == ComputeKind::kComplex || a.shape() != e.shape())
        continue;
      LayerComparison layer = describe_step(step, actual.name);
      layer.error = max_distance(a, e);
      layer.floor = inside.floor(actual.name);
      layer.scale = inside.scale(actual.name);
      if (apart && is_float(a.type())) {
        const auto [error, use] = isolated.error(o);
        layer.isolated_error = error;
        layer.isolated_use = use;
      }
      layer.departed = layer.error > layer.floor || layer.isolated_use > 1;
      if (const auto other = reference.find(actual.name);
          other != reference.end() && other->second.is_tensor() &&
          other->second.tensor().shape() == a.shape() && !other->second.tensor().is_string()) {
        layer.difference = max_distance(a, other->second.tensor());
        // The reference has rounding errors of its own.
        layer.departed = layer.departed || *layer.difference > 2 * layer.floor;
      }
      layers.push_back(std::move(layer));
    }
  }
  return layers;
}

}  // namespace tenon::alignment
