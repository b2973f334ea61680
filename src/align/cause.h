// Cause: why two forms of a model differ. Each hypothesis is tested by substitution: the model is run again
// with what the hypothesis says, and it holds when the outputs then agree.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "align/compare.h"
#include "align/inside.h"
#include "align/layers.h"
#include "align/side.h"

namespace tenon::alignment {

/// The two sides in one sample.
struct Scene {
  Side* reference = nullptr;
  Side* candidate = nullptr;
  size_t sample = 0;
  Sample reference_inputs, candidate_inputs;  ///< Each under the names of its side.
  Sample desired, actual;                     ///< Outputs.
  std::vector<std::pair<int, int>> pairs;     ///< Which outputs belong together; -1: none.
};

/// One output of both sides.
struct OutputPair {
  size_t index = 0;  ///< Among the subject's outputs.
  ValueId id;        ///< In the subject's graph.
  const Value* ours = nullptr;
  const Value* theirs = nullptr;
};

/// What is known of the scene: the model that is looked into, called the subject (the candidate's, or when
/// tenon cannot read that the reference's), and the outputs of the other side.
class Investigation {
 public:
  static Result<Investigation> begin(const Scene& scene, const AlignOptions& options);

  const Scene& scene() const { return *scene_; }
  const AlignOptions& options() const { return *options_; }
  Side& subject() const { return subject_is_candidate_ ? *scene_->candidate : *scene_->reference; }
  Side& other() const { return subject_is_candidate_ ? *scene_->reference : *scene_->candidate; }
  /// "candidate" and "reference", or the other way round.
  const char* subject_name() const { return subject_is_candidate_ ? "candidate" : "reference"; }
  const char* other_name() const { return subject_is_candidate_ ? "reference" : "candidate"; }
  /// As the engine runs it, when it does, else as the file has it.
  const Graph& graph() const { return *graph_; }
  const Sample& inputs() const {
    return subject_is_candidate_ ? scene_->candidate_inputs : scene_->reference_inputs;
  }
  const Inside& inside() const { return inside_; }
  /// The outputs that both sides have.
  std::vector<OutputPair> outputs() const;
  /// What the other side has under the names that it shares with the subject: exact where tenon can read its
  /// model, else as its own runner made it.
  const NamedValues& other_values() const { return other_values_; }
  const Graph* other_graph() const { return other().model() ? &other().model()->graph : nullptr; }
  /// Of the engine, when that is the subject.
  const std::vector<LayerComparison>& layers() const { return layers_; }
  const NamedValues& session_values() const { return session_values_; }
  std::vector<LayerComparison> take_layers() { return std::move(layers_); }

  /// The outputs of a graph with the subject's inputs and outputs, by the references.
  Result<std::vector<Value>> run(const Graph& graph) const {
    return evaluate_by_name(graph, inputs(), options_->threads);
  }
  /// The outputs of the subject for other inputs, by what runs it, or the references when that is no engine.
  Result<std::vector<Value>> run(const Sample& inputs) const;
  /// Whether these outputs, in the subject's order, are the other side's up to the tolerance and what
  /// rounding explains.
  bool agrees(const std::vector<Value>& outputs) const;
  /// The same for the outputs that there are.
  bool agrees_as_is() const;
  /// Whether a substitution that gave these outputs accounts for the difference: they agree, or what remains
  /// is less than a hundredth of the difference and a thousandth of the outputs. (A changed input can make a
  /// model far more sensitive to rounding than it is where the floor was measured.)
  bool is_explained_by(const Result<std::vector<Value>>& outputs) const;

  /// A cause at a value of the subject's graph, with the node that makes it.
  AlignCause at(const std::string& value_name, std::string kind, std::string message) const;

 private:
  Investigation() = default;
  /// The subject's own, in its order.
  std::vector<Value> subject_outputs() const;
  /// max |subject - other| over floating point outputs, and max |other|.
  std::pair<double, double> distance(const std::vector<Value>& outputs) const;

  const Scene* scene_ = nullptr;
  const AlignOptions* options_ = nullptr;
  bool subject_is_candidate_ = true;
  const Graph* graph_ = nullptr;
  Inside inside_;
  NamedValues other_values_, session_values_;
  std::vector<LayerComparison> layers_;
};

using Hypothesis = std::optional<AlignCause> (*)(const Investigation&);

std::optional<AlignCause> missing_output(const Investigation&);
std::optional<AlignCause> other_shape(const Investigation&);
std::optional<AlignCause> not_finite(const Investigation&);
std::optional<AlignCause> wrong_kernel(const Investigation&);
std::optional<AlignCause> rounding_alone(const Investigation&);
std::optional<AlignCause> flipped_tie(const Investigation&);
std::optional<AlignCause> half_precision(const Investigation&);
std::optional<AlignCause> training_mode(const Investigation&);
std::optional<AlignCause> other_weights(const Investigation&);
std::optional<AlignCause> frozen_constant(const Investigation&);
std::optional<AlignCause> other_preprocessing(const Investigation&);
/// The first value that differs by more than rounding explains, or else the worst output. Always answers.
std::optional<AlignCause> other_computation(const Investigation&);

/// The first hypothesis that holds, most certain ones first.
AlignCause find_cause(const Investigation& investigation);

/// The node that makes a value, or null.
const Node* producer(const Graph& graph, std::string_view value_name);

}  // namespace tenon::alignment
