#include "align/cause.h"

#include <algorithm>
#include <cmath>

#include "runtime/session_state.h"
#include "tensor/element.h"

namespace tenon::alignment {

namespace {

// How many times what rounding explains two runs of the same model may be apart: each has errors of its own.
constexpr double kFloors = 3;

/// What the other side has inside, under names that the subject has too.
NamedValues values_of(Side& other, const Sample& inputs, size_t sample, const Graph& subject, int threads) {
  NamedValues values;
  if (auto taps = other.taps(sample); taps.ok())
    for (NamedValue& tap : *taps)
      if (subject.find(tap.name) != kNoValue) values.emplace(std::move(tap.name), std::move(tap.value));
  if (!values.empty() || !other.model()) return values;
  auto wide = widen(other.model()->graph);
  if (!wide.ok()) return values;
  auto exact = exact_values(wide->graph, inputs, threads);
  if (!exact.ok()) return values;
  for (auto& [name, value] : *exact)
    if (subject.find(name) != kNoValue && other.model()->graph.find(name) != kNoValue)
      values.emplace(name, std::move(value));
  return values;
}

}  // namespace

Result<Investigation> Investigation::begin(const Scene& scene, const AlignOptions& options) {
  Investigation result;
  result.scene_ = &scene;
  result.options_ = &options;
  result.subject_is_candidate_ = scene.candidate->model() != nullptr;
  Side& subject = result.subject();
  if (!subject.model()) return fail(ErrorCode::kUnsupported, "tenon can read neither model");
  const auto session = subject.session();
  result.graph_ = session ? &session->state().engine->model().graph : &subject.model()->graph;
  result.inside_ = TENON_TRY(Inside::look(*result.graph_, result.inputs(), options.threads));
  const Sample& other_inputs = result.subject_is_candidate_ ? scene.reference_inputs : scene.candidate_inputs;
  result.other_values_ =
      values_of(result.other(), other_inputs, scene.sample, *result.graph_, options.threads);
  if (session) {
    auto layers = compare_layers(*session, result.inputs(), result.inside_, result.other_values_,
                                 &result.session_values_, options.progress);
    if (layers.ok()) result.layers_ = std::move(*layers);
  }
  return result;
}

Result<std::vector<Value>> Investigation::run(const Sample& inputs) const {
  const auto session = subject().session();
  if (!session) return evaluate_by_name(subject().model()->graph, inputs, options_->threads);
  Sample outputs = TENON_TRY(session->run(inputs));
  std::vector<Value> values;
  for (NamedValue& output : outputs) values.push_back(std::move(output.value));
  return values;
}

std::vector<OutputPair> Investigation::outputs() const {
  std::vector<OutputPair> outputs;
  for (const auto& [reference, candidate] : scene_->pairs) {
    if (reference < 0 || candidate < 0) continue;
    OutputPair pair;
    pair.index = static_cast<size_t>(subject_is_candidate_ ? candidate : reference);
    pair.id = graph_->outputs[pair.index];
    pair.ours = &scene_->actual[static_cast<size_t>(candidate)].value;
    pair.theirs = &scene_->desired[static_cast<size_t>(reference)].value;
    if (!subject_is_candidate_) std::swap(pair.ours, pair.theirs);
    outputs.push_back(pair);
  }
  return outputs;
}

std::vector<Value> Investigation::subject_outputs() const {
  std::vector<Value> values;
  for (const NamedValue& output : subject_is_candidate_ ? scene_->actual : scene_->desired)
    values.push_back(output.value);
  return values;
}

bool Investigation::agrees(const std::vector<Value>& outputs) const {
  bool compared = false;
  for (const OutputPair& pair : this->outputs()) {
    if (pair.index >= outputs.size()) return false;
    const Value& a = outputs[pair.index];
    const Value& d = *pair.theirs;
    if (!a.is_tensor() || !d.is_tensor() || a.tensor().shape() != d.tensor().shape()) return false;
    if (a.tensor().is_string() || compute_kind(a.tensor().type()) == ComputeKind::kComplex) {
      if (!same_value(a, d)) return false;
      continue;
    }
    const double floor = kFloors * inside_.floor(graph_->value(pair.id).name);
    const std::vector<double> x = to_doubles(a.tensor()), y = to_doubles(d.tensor());
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
      const double allowed = options_->atol + options_->rtol * std::fabs(y[i]) + floor;
      if (!(std::fabs(x[i] - y[i]) <= allowed)) return false;
    }
    compared = true;
  }
  return compared;
}

bool Investigation::agrees_as_is() const {
  return agrees(subject_outputs());
}

std::pair<double, double> Investigation::distance(const std::vector<Value>& outputs) const {
  double apart = 0, scale = 0;
  for (const OutputPair& pair : this->outputs()) {
    if (pair.index >= outputs.size() || !outputs[pair.index].is_tensor() || !pair.theirs->is_tensor())
      return {HUGE_VAL, 0};
    const Tensor& x = outputs[pair.index].tensor();
    const Tensor& y = pair.theirs->tensor();
    if (x.shape() != y.shape() || x.type() == DataType::kString || y.type() == DataType::kString)
      return {HUGE_VAL, 0};
    apart = std::max(apart, max_distance(x, y));
    if (is_float(y.type())) scale = std::max(scale, max_magnitude(y));
  }
  return {apart, scale};
}

bool Investigation::is_explained_by(const Result<std::vector<Value>>& outputs) const {
  if (!outputs.ok()) return false;
  if (agrees(*outputs)) return true;
  const auto [remains, scale] = distance(*outputs);
  return remains <= 0.01 * distance(subject_outputs()).first && remains <= 1e-3 * scale;
}

AlignCause Investigation::at(const std::string& value_name, std::string kind, std::string message) const {
  AlignCause cause;
  cause.node = value_name;
  cause.kind = std::move(kind);
  cause.message = std::move(message);
  if (const Node* node = producer(*graph_, value_name)) {
    if (!node->name.empty()) cause.node = node->name;
    cause.op = op_name(node->op);
    if (node->provenance) cause.source = node->provenance->source_line;
  }
  return cause;
}

const Node* producer(const Graph& graph, std::string_view value_name) {
  const ValueId id = graph.find(value_name);
  if (id == kNoValue) return nullptr;
  for (const Node& node : graph.nodes)
    if (std::ranges::count(node.outputs, id) != 0) return &node;
  return nullptr;
}

AlignCause find_cause(const Investigation& investigation) {
  constexpr Hypothesis kHypotheses[] = {
      missing_output, other_shape,   not_finite,    wrong_kernel,    flipped_tie,         half_precision,
      rounding_alone, training_mode, other_weights, frozen_constant, other_preprocessing, other_computation,
  };
  for (const Hypothesis hypothesis : kHypotheses)
    if (auto cause = hypothesis(investigation)) return *cause;
  return {};
}

}  // namespace tenon::alignment
