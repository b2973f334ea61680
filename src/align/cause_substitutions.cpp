// Causes that lie in the model or around it, each tested by running the subject with the change undone.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "align/cause.h"
#include "tensor/element.h"

namespace tenon::alignment {

namespace {

/// A node that uses the value, or null.
const Node* user(const Graph& graph, ValueId id) {
  for (const Node& node : graph.nodes)
    if (std::ranges::count(node.inputs, id) != 0) return &node;
  return nullptr;
}

AlignCause at_constant(const Graph& graph, ValueId id, std::string kind, std::string message) {
  AlignCause cause;
  cause.node = graph.value(id).name;
  cause.kind = std::move(kind);
  cause.message = std::move(message);
  if (const Node* node = user(graph, id)) {
    cause.op = op_name(node->op);
    if (node->provenance) cause.source = node->provenance->source_line;
  }
  return cause;
}

int64_t count_different(const Tensor& a, const Tensor& b) {
  if (a.is_string()) return a.size();
  const std::vector<double> x = to_doubles(a), y = to_doubles(b);
  int64_t count = 0;
  for (size_t i = 0; i < x.size(); ++i) count += !(x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i])));
  return count;
}

bool is_training(const Graph& graph, const Node& node) {
  if (node.op == Op::kBatchNormalization) return node.attributes.integer("training_mode") != 0;
  if (node.op != Op::kDropout || !node.has_input(2)) return false;
  const Tensor* mode = graph.constant(node.inputs[2]);
  return mode != nullptr && mode->size() == 1 && to_ints(*mode)[0] != 0;
}

/// The graph with every node in evaluation mode, or every BatchNormalization in training mode.
Graph with_mode(const Graph& graph, bool training) {
  Graph changed = graph;
  for (Node& node : changed.nodes) {
    if (node.op == Op::kBatchNormalization) {
      node.attributes.set("training_mode", static_cast<int64_t>(training));
      if (!training) node.outputs.resize(1);
    } else if (node.op == Op::kDropout && !training && node.inputs.size() > 2) {
      node.inputs.resize(2);
    }
  }
  return changed;
}

}  // namespace

std::optional<AlignCause> training_mode(const Investigation& scene) {
  const Graph& graph = scene.subject().model()->graph;
  for (const Node& node : graph.nodes) {
    if (!is_training(graph, node)) continue;
    auto outputs = scene.run(with_mode(graph, false));
    if (!scene.is_explained_by(outputs)) break;
    return scene.at(graph.value(node.outputs[0]).name, "training-mode",
                    fmt::format("{} of the {} runs in training mode; in evaluation mode the outputs agree",
                                op_name(node.op), scene.subject_name()));
  }
  for (const Node& node : graph.nodes) {
    if (node.op != Op::kBatchNormalization || is_training(graph, node)) continue;
    auto outputs = scene.run(with_mode(graph, true));
    if (!scene.is_explained_by(outputs)) break;
    return scene.at(
        graph.value(node.outputs[0]).name, "training-mode",
        fmt::format("the {} normalises by the statistics of the batch: it was run in training mode "
                    "(call model.eval() first)",
                    scene.other_name()));
  }
  return std::nullopt;
}

std::optional<AlignCause> other_weights(const Investigation& scene) {
  const Graph* other = scene.other_graph();
  const Graph& graph = scene.subject().model()->graph;
  if (other == nullptr || other == &graph) return std::nullopt;
  Graph substituted = graph;
  ValueId first = kNoValue;
  size_t tensors = 0;
  std::string what;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = ValueId{static_cast<uint32_t>(i)};
    const Tensor* ours = graph.constant(id);
    const ValueId same = ours ? other->find(graph.value(id).name) : kNoValue;
    const Tensor* theirs = same == kNoValue ? nullptr : other->constant(same);
    if (theirs == nullptr || theirs->shape() != ours->shape() || theirs->type() != ours->type()) continue;
    if (same_value(*ours, *theirs)) continue;
    substituted.value(id).constant = *theirs;
    ++tensors;
    if (first != kNoValue && user(graph, first) != nullptr) continue;
    first = id;
    what = fmt::format("{} of {} elements, by at most {:.3g}", count_different(*ours, *theirs), ours->size(),
                       ours->is_string() ? 0.0 : max_distance(*ours, *theirs));
  }
  if (tensors == 0) return std::nullopt;
  auto outputs = scene.run(substituted);
  if (!scene.is_explained_by(outputs)) return std::nullopt;
  return at_constant(
      graph, first, "weights",
      fmt::format("initializer '{}' differs between the two in {}{}; with the {}'s values the "
                  "outputs agree",
                  graph.value(first).name, what,
                  tensors > 1 ? fmt::format(", and {} more differ", tensors - 1) : "", scene.other_name()));
}

namespace {

/// Values that depend on some input of the graph.
std::set<ValueId> dependent_values(const Graph& graph) {
  std::set<ValueId> dependent(graph.inputs.begin(), graph.inputs.end());
  for (const Node& node : graph.nodes) {
    bool depends = std::ranges::any_of(node.inputs, [&](ValueId id) { return dependent.contains(id); });
    for (const auto& [attribute, body] : node.subgraphs)
      for (const Capture& capture : body->captures) depends |= dependent.contains(capture.outer);
    if (depends) dependent.insert(node.outputs.begin(), node.outputs.end());
  }
  return dependent;
}

/// A constant of one model that the other computes from its inputs.
std::optional<AlignCause> constant_in_one(const Investigation& scene) {
  const Graph* other = scene.other_graph();
  const Graph& graph = scene.subject().model()->graph;
  if (other == nullptr) return std::nullopt;
  const std::set<ValueId> ours = dependent_values(graph), theirs = dependent_values(*other);
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = ValueId{static_cast<uint32_t>(i)};
    const std::string& name = graph.value(id).name;
    const ValueId same = other->find(name);
    if (same == kNoValue || ours.contains(id) == theirs.contains(same)) continue;
    const bool frozen_here = theirs.contains(same);
    if (!frozen_here) {
      // The other side holds what we compute: put its constant in place of ours.
      const Tensor* frozen = other->constant(same);
      if (frozen == nullptr) continue;
      Graph changed = graph;
      for (Node& node : changed.nodes) std::ranges::replace(node.outputs, id, kNoValue);
      changed.value(id).constant = *frozen;
      auto outputs = scene.run(changed);
      if (!scene.is_explained_by(outputs)) continue;
    } else {
      const auto value = scene.other_values().find(name);
      const Tensor* frozen = graph.constant(id);
      if (value == scene.other_values().end() || frozen == nullptr) continue;
      Graph changed = graph;
      changed.value(id).constant = narrowed(value->second, frozen->type()).tensor();
      auto outputs = scene.run(changed);
      if (!scene.is_explained_by(outputs)) continue;
    }
    return at_constant(graph, id, "constant",
                       fmt::format("'{}' is a constant in the {} and depends on the inputs in the {}", name,
                                   frozen_here ? scene.subject_name() : scene.other_name(),
                                   frozen_here ? scene.other_name() : scene.subject_name()));
  }
  return std::nullopt;
}

}  // namespace

std::optional<AlignCause> frozen_constant(const Investigation& scene) {
  if (auto cause = constant_in_one(scene)) return cause;
  // An output that no input reaches was computed once and for all when the model was exported.
  const Graph& graph = scene.subject().model()->graph;
  const std::set<ValueId> dependent = dependent_values(graph);
  for (ValueId id : graph.outputs) {
    if (dependent.contains(id)) continue;
    return scene.at(graph.value(id).name, "constant",
                    fmt::format("output '{}' of the {} depends on no input: it was frozen when the model was "
                                "exported",
                                graph.value(id).name, scene.subject_name()));
  }
  return std::nullopt;
}

namespace {

constexpr std::array<double, 3> kImageNetMean = {0.485, 0.456, 0.406};
constexpr std::array<double, 3> kImageNetStd = {0.229, 0.224, 0.225};

struct Preparation {
  const char* text;
  double (*apply)(double x, size_t channel);
  bool by_channel;
};
constexpr Preparation kPreparations[] = {
    {"", [](double x, size_t) { return x; }, false},
    {"multiplied by 255", [](double x, size_t) { return x * 255; }, false},
    {"divided by 255", [](double x, size_t) { return x / 255; }, false},
    {"normalised with ImageNet's mean and std",
     [](double x, size_t c) { return (x - kImageNetMean[c]) / kImageNetStd[c]; }, true},
    {"divided by 255 and normalised with ImageNet's mean and std",
     [](double x, size_t c) { return (x / 255 - kImageNetMean[c]) / kImageNetStd[c]; }, true},
    {"freed from ImageNet's mean and std",
     [](double x, size_t c) { return x * kImageNetStd[c] + kImageNetMean[c]; }, true},
    {"mapped from [0, 1] to [-1, 1]", [](double x, size_t) { return 2 * x - 1; }, false},
    {"mapped from [0, 255] to [-1, 1]", [](double x, size_t) { return x / 127.5 - 1; }, false},
    {"mapped from [0, 255] by (x - 127) / 128", [](double x, size_t) { return (x - 127) / 128; }, false},
    {"mapped from [-1, 1] to [0, 1]", [](double x, size_t) { return (x + 1) / 2; }, false},
};

/// Pictures [n,3,h,w] prepared in one way, the order of channels reversed first when `swapped`.
Tensor prepared(const Tensor& tensor, const Preparation& preparation, bool swapped) {
  const bool is_picture = tensor.rank() == 4 && tensor.dim(1) == 3;
  const size_t plane = is_picture ? static_cast<size_t>(tensor.dim(2) * tensor.dim(3)) : 1;
  const std::vector<double> from = to_doubles(tensor);
  std::vector<double> to(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    const size_t channel = is_picture ? i / plane % 3 : 0;
    const size_t source = swapped ? i + (2 - 2 * channel) * plane : i;
    to[i] = preparation.apply(from[source], channel);
  }
  Tensor result = Tensor::allocate(tensor.type(), tensor.shape());
  store_elements<double>(tensor.type(), result.mutable_raw(), 0, result.size(), to.data());
  return result;
}

}  // namespace

std::optional<AlignCause> other_preprocessing(const Investigation& scene) {
  for (size_t i = 0; i < scene.inputs().size(); ++i) {
    const NamedValue& input = scene.inputs()[i];
    if (!input.value.is_tensor() || !is_float(input.value.tensor().type())) continue;
    const Tensor& tensor = input.value.tensor();
    const bool is_picture = tensor.rank() == 4 && tensor.dim(1) == 3;
    for (const bool swapped : {false, true}) {
      for (const Preparation& preparation : kPreparations) {
        if ((swapped || preparation.by_channel) && !is_picture) continue;
        if (!swapped && *preparation.text == '\0') continue;
        Sample inputs = scene.inputs();
        inputs[i].value = prepared(tensor, preparation, swapped);
        auto outputs = scene.run(inputs);
        if (!scene.is_explained_by(outputs)) continue;
        AlignCause cause;
        cause.node = input.name;
        cause.kind = "preprocessing";
        const bool both = swapped && *preparation.text != '\0';
        cause.message =
            fmt::format("the {} agrees when input '{}' is {}{}{}", scene.subject_name(), input.name,
                        swapped ? "turned from RGB to BGR" : "", both ? " and " : "", preparation.text);
        return cause;
      }
    }
  }
  return std::nullopt;
}

}  // namespace tenon::alignment
