#include "align/inside.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "align/compare.h"
#include "align/rounding.h"
#include "base/thread_pool.h"
#include "ops/core/evaluate.h"
#include "tensor/element.h"

namespace tenon::alignment {

namespace {

constexpr double kFloorFactor = 4;

ops::EvaluateOptions evaluate_options(int threads) {
  ops::EvaluateOptions options;
  if (threads <= 0) threads = usable_cpu_count();
  options.parallel_for = [threads](int64_t count, int64_t grain, const auto& body) {
    tenon::parallel_for(threads, count, grain, body);
  };
  return options;
}

Result<std::vector<Value>> evaluate(const Graph& graph, const Sample& inputs,
                                    const ops::EvaluateOptions& options) {
  std::vector<const Value*> values;
  for (ValueId id : graph.inputs) values.push_back(find(inputs, graph.value(id).name));
  return ops::evaluate(graph, values, options);
}

Sample widened_sample(const Sample& inputs) {
  Sample wide;
  for (const NamedValue& input : inputs) wide.push_back({input.name, widened(input.value)});
  return wide;
}

/// Adds rounding errors to what a node has made: random ones within the probable bound of its sums, and then
/// the rounding to the type that the value has in the model.
class Noise {
 public:
  Noise(const Graph& narrow, int threads) : narrow_(narrow), options_(evaluate_options(threads)) {}

  Status add(const Node& node, std::span<const Value* const> inputs, std::span<Value> outputs) {
    std::vector<DataType> types;
    for (ValueId id : node.outputs) types.push_back(type_of(id));
    const std::vector<Tensor> bounds =
        TENON_TRY(rounding_bounds(node, inputs, outputs, types, Bound::kProbable, options_));
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (!bounds[o].defined()) continue;
      const Tensor& y = outputs[o].tensor();
      Tensor noisy = Tensor::allocate(types[o], y.shape());
      std::vector<double> elements(static_cast<size_t>(y.size()));
      const double u = unit_roundoff(types[o]);
      for (size_t i = 0; i < elements.size(); ++i) {
        const double value = y.data<double>()[i];
        // The rounding below is an error of its own.
        const double error = std::max(0.0, bounds[o].data<double>()[i] - u * std::fabs(value));
        elements[i] = value + random() * (error > 2 * least_ ? error : 0);
      }
      store_elements<double>(types[o], noisy.mutable_raw(), 0, noisy.size(), elements.data());
      outputs[o] = widened(noisy);
    }
    return {};
  }

 private:
  DataType type_of(ValueId id) const {
    if (id == kNoValue || index(id) >= narrow_.value_count()) return DataType::kUndefined;
    const ValueType& type = narrow_.value(id).type;
    return type.is_tensor() ? type.element : DataType::kUndefined;
  }
  /// Uniform in [-1, 1).
  double random() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) * 0x1p-52 - 1;
  }

  static constexpr double least_ = 0x1p-125;  // errors of denormal size are no noise
  const Graph& narrow_;
  ops::EvaluateOptions options_;
  uint64_t state_ = 42;
};

}  // namespace

Result<std::vector<Value>> evaluate_by_name(const Graph& graph, const Sample& inputs, int threads) {
  return evaluate(graph, inputs, evaluate_options(threads));
}

Result<std::unordered_map<std::string, Value>> exact_values(const Graph& wide, const Sample& inputs,
                                                            int threads) {
  std::unordered_map<std::string, Value> values;
  for (const NamedValue& input : inputs) values[input.name] = widened(input.value);
  ops::EvaluateOptions options = evaluate_options(threads);
  options.after_node = [&](const Node& node, std::span<const Value* const>,
                           std::span<Value> outputs) -> Status {
    for (size_t o = 0; o < outputs.size(); ++o)
      if (node.has_output(o)) values[wide.value(node.outputs[o]).name] = outputs[o];
    return {};
  };
  TENON_TRY(evaluate(wide, widened_sample(inputs), options));
  return values;
}

Result<Inside> Inside::look(const Graph& graph, const Sample& inputs, int threads) {
  Inside inside;
  inside.graph_ = &graph;
  inside.wide_ = std::make_shared<const WideGraph>(TENON_TRY(widen(graph)));
  const Graph& wide = inside.wide_->graph;
  inside.exact_ = TENON_TRY(exact_values(wide, inputs, threads));

  Noise noise(graph, threads);
  ops::EvaluateOptions options = evaluate_options(threads);
  options.after_node = [&](const Node& node, std::span<const Value* const> given,
                           std::span<Value> outputs) -> Status {
    TENON_TRY(noise.add(node, given, outputs));
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (!node.has_output(o)) continue;
      const std::string& name = wide.value(node.outputs[o]).name;
      const Value& exact = inside.exact_[name];
      if (!exact.is_tensor() || !outputs[o].is_tensor()) continue;
      const Tensor& a = exact.tensor();
      const Tensor& b = outputs[o].tensor();
      const bool comparable = a.type() == b.type() && a.shape() == b.shape() && !a.is_string();
      inside.floors_[name] = !comparable          ? std::numeric_limits<double>::infinity()
                             : is_float(a.type()) ? kFloorFactor * max_distance(a, b)
                                                  : max_distance(a, b);
    }
    return {};
  };
  TENON_TRY(evaluate(wide, widened_sample(inputs), options));
  return inside;
}

const Value* Inside::exact(std::string_view name) const {
  const auto found = exact_.find(std::string(name));
  return found == exact_.end() ? nullptr : &found->second;
}

double Inside::floor(std::string_view name) const {
  const auto found = floors_.find(std::string(name));
  return found == floors_.end() ? 0 : found->second;
}

double Inside::scale(std::string_view name) const {
  const Value* value = exact(name);
  if (value == nullptr || !value->is_tensor() || !is_float(value->tensor().type())) return 0;
  double largest = 0;
  for (double x : to_doubles(value->tensor()))
    if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  return largest;
}

}  // namespace tenon::alignment
