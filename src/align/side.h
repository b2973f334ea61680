// Side: one of the two things that are compared, ready to give outputs for samples.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "align/sample.h"
#include "base/try.h"
#include "ir/graph.h"
#include "tenon/align.h"
#include "tenon/session.h"

namespace tenon::alignment {

enum class Role { kReference, kCandidate };

/// "float64:model.onnx" as kind and file. A name without a known prefix is a plain model file.
struct SideName {
  enum class Kind { kModel, kRecorded, kFloat64, kOnnxRuntime, kTorch };
  Kind kind = Kind::kModel;
  std::string file;
};
SideName parse_side(const std::string& given);

/// What runs a PyTorch file that tenon lowers itself: it shares the lowering with an export.
inline constexpr const char* kLoweringRunner = "tenon lowering";
inline constexpr const char* kRecordedRunner = "recorded";

class Side {
 public:
  virtual ~Side() = default;

  /// What ran it, for the report; known once the first sample has run.
  virtual std::string runner() const = 0;
  /// What the model takes and gives, as far as tenon can tell; empty for recordings.
  const std::vector<ValueDescription>& inputs() const { return inputs_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  /// The model as tenon reads it, or null.
  const std::shared_ptr<const TypedModel>& model() const { return model_; }
  /// The session that runs it, when it is the engine.
  virtual std::shared_ptr<const Session> session() const { return nullptr; }
  /// Its outputs are in float64 whatever the model says.
  virtual bool is_wide() const { return false; }

  /// Another program runs it.
  virtual bool is_foreign() const { return false; }
  /// Its values by name in sample k, outputs or not, where they can be had without a change to what runs;
  /// empty where they cannot.
  virtual Result<Sample> taps(size_t) { return Sample(); }

  /// Called once before run() with every sample, under the names of inputs().
  virtual Status prepare(const std::vector<Sample>&) { return {}; }
  /// The outputs for sample k, whose inputs are given under the names of inputs().
  virtual Result<Sample> run(size_t k, const Sample& inputs) = 0;

 protected:
  void describe_model(std::shared_ptr<const TypedModel> model);

  std::vector<ValueDescription> inputs_;
  std::vector<std::string> output_names_;
  std::shared_ptr<const TypedModel> model_;
};

/// Opens a side that is not a recording. A PyTorch program as plain reference is run by PyTorch where a
/// Python has it, else lowered. Errors carry `given` as the file.
Result<std::unique_ptr<Side>> open_side(const std::string& given, Role role, const AlignOptions& options);

/// A recording: run(k) gives the outputs of sample k as they were recorded.
std::unique_ptr<Side> recorded_side(std::vector<Sample> outputs);

/// A model file by the engine, by the references as they are, or by the references in float64.
enum class Runner { kEngine, kReferences, kFloat64 };
/// An engine file.
Result<std::unique_ptr<Side>> engine_side(const std::string& path, const AlignOptions& options);
Result<std::unique_ptr<Side>> model_side(std::shared_ptr<const TypedModel> model, std::string runner_name,
                                         Runner runner, const AlignOptions& options);

}  // namespace tenon::alignment
