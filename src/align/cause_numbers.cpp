// Causes that lie in arithmetic: what is not finite, kernels beyond their bound, rounding, cancellation,
// ties.
#include <algorithm>
#include <cmath>
#include <limits>

#include "align/cause.h"
#include "align/rounding.h"
#include "ops/core/evaluate.h"
#include "tensor/element.h"

namespace tenon::alignment {

namespace {

bool is_finite(const Value& value) {
  if (!value.is_tensor() || !is_float(value.tensor().type())) return true;
  return std::ranges::all_of(to_doubles(value.tensor()), [](double x) { return std::isfinite(x); });
}

double largest_finite(DataType type) {
  switch (type) {
    case DataType::kFloat16:
      return 65504;
    case DataType::kFloat32:
    case DataType::kBFloat16:
      return std::numeric_limits<float>::max();
    default:
      return std::numeric_limits<double>::max();
  }
}

/// All values of the main graph as the references make them in the model's own types.
NamedValues plain_values(const Investigation& scene) {
  NamedValues values;
  const Graph& graph = scene.graph();
  std::vector<const Value*> inputs;
  for (ValueId id : graph.inputs) inputs.push_back(find(scene.inputs(), graph.value(id).name));
  ops::EvaluateOptions options;
  options.after_node = [&](const Node& node, std::span<const Value* const>,
                           std::span<Value> outputs) -> Status {
    for (size_t o = 0; o < outputs.size(); ++o)
      if (node.has_output(o)) values[graph.value(node.outputs[o]).name] = outputs[o];
    return {};
  };
  if (!ops::evaluate(graph, inputs, options).ok()) values.clear();
  return values;
}

/// The first discontinuous node on the way to a value through nodes that only reshape or convert.
const Node* deciding_node(const Graph& graph, ValueId id) {
  for (int steps = 0; steps < 8; ++steps) {
    const Node* node = producer(graph, graph.value(id).name);
    if (node == nullptr || node->inputs.empty()) return nullptr;
    if (node->op == Op::kArgMax || node->op == Op::kArgMin || node->op == Op::kTopK) return node;
    id = node->inputs[0];
    if (id == kNoValue) return nullptr;
  }
  return nullptr;
}

}  // namespace

std::optional<AlignCause> not_finite(const Investigation& scene) {
  const std::vector<OutputPair> outputs = scene.outputs();
  const bool differs = std::ranges::any_of(
      outputs, [](const OutputPair& pair) { return is_finite(*pair.ours) != is_finite(*pair.theirs); });
  if (!differs) return std::nullopt;
  const NamedValues values = plain_values(scene);
  const Graph& graph = scene.graph();
  for (const Node& node : graph.nodes) {
    bool inputs_finite = true;
    for (ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      const Tensor* constant = graph.constant(id);
      const auto made = values.find(graph.value(id).name);
      inputs_finite &= constant ? is_finite(*constant) : made == values.end() || is_finite(made->second);
    }
    for (ValueId id : node.outputs) {
      if (id == kNoValue || !inputs_finite) continue;
      const std::string& name = graph.value(id).name;
      const auto made = values.find(name);
      if (made == values.end() || is_finite(made->second)) continue;
      const DataType type = made->second.tensor().type();
      const Value* exact = scene.inside().exact(name);
      if (exact && is_finite(*exact) && scene.inside().scale(name) > largest_finite(type))
        return scene.at(
            name, "overflow",
            fmt::format("in the {}, '{}' overflows: it reaches {:.4g}, and the largest {} is {:.6g}",
                        scene.subject_name(), name, scene.inside().scale(name), data_type_name(type),
                        largest_finite(type)));
      return scene.at(name, has_nan(made->second.tensor()) ? "nan" : "overflow",
                      fmt::format("in the {}, '{}' is the first value with {}: its inputs are finite",
                                  scene.subject_name(), name,
                                  has_nan(made->second.tensor()) ? "NaN" : "infinite elements"));
    }
  }
  // The subject's model makes only finite values: what runs it is at fault, or the other side.
  for (const OutputPair& pair : outputs)
    if (!is_finite(*pair.ours) && !scene.layers().empty())
      return std::nullopt;  // a kernel; the next hypothesis
  return scene.at(
      graph.value(graph.outputs[0]).name, "nan",
      fmt::format("one side has NaN or infinity, and the model of the {} makes only finite values when the "
                  "references run it",
                  scene.subject_name()));
}

std::optional<AlignCause> wrong_kernel(const Investigation& scene) {
  for (const LayerComparison& layer : scene.layers()) {
    if (!(layer.isolated_use > 1) || !layer.isolated_error) continue;
    const std::string how = std::isfinite(*layer.isolated_error)
                                ? fmt::format(
                                      "with an error of {:.3g} from exact inputs, {:.3g} times what any "
                                      "rounding of its sums explains",
                                      *layer.isolated_error, layer.isolated_use)
                                : "to NaN or infinity from finite inputs, where the exact result is finite";
    return scene.at(layer.name, "kernel",
                    fmt::format("kernel {} computes '{}' {}", layer.kernel, layer.name, how));
  }
  return std::nullopt;
}

std::optional<AlignCause> rounding_alone(const Investigation& scene) {
  if (!scene.agrees_as_is()) return std::nullopt;
  // Where the relative error grows most in one step.
  const Graph& graph = scene.graph();
  auto relative = [&](ValueId id) {
    const std::string& name = graph.value(id).name;
    const double scale = scene.inside().scale(name);
    return scale > 0 ? scene.inside().floor(name) / scale : 0.0;
  };
  const Node* worst = nullptr;
  double growth = 0;
  for (const Node& node : graph.nodes) {
    if (!node.has_output(0)) continue;
    const DataType type = graph.value(node.outputs[0]).type.element;
    double before = 2 * std::max(unit_roundoff(type), unit_roundoff(DataType::kFloat32));
    for (ValueId id : node.inputs)
      if (id != kNoValue && graph.constant(id) == nullptr) before = std::max(before, relative(id));
    const double grown = relative(node.outputs[0]) / before;
    if (grown > growth) {
      growth = grown;
      worst = &node;
    }
  }
  const std::string& output_name = graph.value(scene.outputs().front().id).name;
  const double floor = scene.inside().floor(output_name);
  constexpr double kCancels = 1000;
  if (worst != nullptr && growth > kCancels) {
    const std::string& name = graph.value(worst->outputs[0]).name;
    const bool decides = is_discontinuous(worst->op) &&
                         !(worst->op == Op::kCast && is_float(graph.value(worst->outputs[0]).type.element));
    return scene.at(
        name, decides ? "tie" : "cancellation",
        decides ? fmt::format("'{}' decides between values that are equal up to rounding", name)
                : fmt::format("'{}' cancels: rounding errors grow {:.3g} times relative to its result, "
                              "which has only {:.2g} of relative accuracy left",
                              name, growth, relative(worst->outputs[0])));
  }
  return scene.at(
      output_name, "rounding",
      fmt::format("rounding explains the difference: at '{}' it may reach {:.2g} in this precision, so "
                  "tolerances below that cannot be asked for",
                  output_name, floor));
}

std::optional<AlignCause> half_precision(const Investigation& scene) {
  const std::vector<OutputPair> outputs = scene.outputs();
  for (const DataType half : {DataType::kBFloat16, DataType::kFloat16}) {
    bool holds = true;
    size_t compared = 0;
    for (const OutputPair& pair : outputs) {
      const Value& ours = *pair.ours;
      const Value& theirs = *pair.theirs;
      if (!theirs.is_tensor() || !is_float(theirs.tensor().type())) continue;
      if (theirs.tensor().type() != DataType::kFloat32 || theirs.tensor().shape() != ours.tensor().shape())
        return std::nullopt;
      // Kept exactly by a trip through the half type, and no further away than some roundings of it.
      auto is_kept = [&](const Value& value) {
        return max_distance(narrowed(value, half).tensor(), value.tensor()) == 0;
      };
      holds = holds && is_kept(theirs) && !is_kept(ours) &&
              max_distance(ours.tensor(), theirs.tensor()) <=
                  32 * unit_roundoff(half) * max_magnitude(theirs.tensor());
      compared += static_cast<size_t>(theirs.tensor().size());
    }
    if (!holds || compared < 2) continue;
    return scene.at(
        scene.graph().value(outputs.front().id).name, "precision",
        fmt::format("the outputs of the {} are numbers of {} only: it was run, or its outputs were "
                    "kept, in half precision",
                    scene.other_name(), data_type_name(half)));
  }
  return std::nullopt;
}

namespace {

/// Whether each element in which two integer outputs differ is a choice between values that rounding makes
/// equal.
bool is_tie(const Investigation& scene, const Node& node, const Tensor& ours, const Tensor& theirs) {
  const Graph& graph = scene.graph();
  const Value* exact = scene.inside().exact(graph.value(node.inputs[0]).name);
  if (exact == nullptr || !exact->is_tensor() || exact->tensor().rank() == 0) return false;
  const Tensor& x = exact->tensor();
  int64_t axis = node.attributes.integer("axis", node.op == Op::kTopK ? -1 : 0);
  if (axis < 0) axis += x.rank();
  int64_t inner = 1;
  for (int64_t d = axis + 1; d < x.rank(); ++d) inner *= x.dim(static_cast<size_t>(d));
  const int64_t length = x.dim(static_cast<size_t>(axis));
  const std::vector<double> values = to_doubles(x);
  const std::vector<int64_t> a = to_ints(ours), d = to_ints(theirs);
  if (a.size() != d.size() || x.size() == 0) return false;
  const int64_t picked =
      static_cast<int64_t>(a.size()) / std::max<int64_t>(1, x.size() / length);  // k of TopK
  const double floor = 2 * scene.inside().floor(graph.value(node.inputs[0]).name) +
                       0x1p-22 * scene.inside().scale(graph.value(node.inputs[0]).name);
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == d[i]) continue;
    if (a[i] < 0 || d[i] < 0 || a[i] >= length || d[i] >= length) return false;
    const auto flat = static_cast<int64_t>(i);
    const int64_t outer = flat / (inner * picked), column = flat % inner;
    auto at = [&](int64_t k) { return values[static_cast<size_t>((outer * length + k) * inner + column)]; };
    if (std::fabs(at(a[i]) - at(d[i])) > floor) return false;
  }
  return true;
}

}  // namespace

std::optional<AlignCause> flipped_tie(const Investigation& scene) {
  const Graph& graph = scene.graph();
  for (const OutputPair& pair : scene.outputs()) {
    const Value& ours = *pair.ours;
    const Value& theirs = *pair.theirs;
    if (!theirs.is_tensor() || !is_integer(theirs.tensor().type()) || same_value(ours, theirs)) continue;
    const Node* node = deciding_node(graph, pair.id);
    if (node == nullptr) continue;
    if (is_tie(scene, *node, ours.tensor(), theirs.tensor()))
      return scene.at(graph.value(node->outputs[0]).name, "tie",
                      fmt::format("{} chooses between elements of '{}' that are equal up to rounding",
                                  op_name(node->op), graph.value(node->inputs[0]).name));
  }
  return std::nullopt;
}

}  // namespace tenon::alignment
