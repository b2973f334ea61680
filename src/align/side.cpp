#include "align/side.h"

#include <array>

#include "align/python_side.h"
#include "base/mapped_file.h"
#include "convert/load.h"
#include "formats/detect.h"
#include "runtime/input_sizes.h"

namespace tenon::alignment {

namespace {

struct Prefix {
  std::string_view text;
  SideName::Kind kind;
};
constexpr std::array kPrefixes = {
    Prefix{"recorded:", SideName::Kind::kRecorded}, Prefix{"float64:", SideName::Kind::kFloat64},
    Prefix{"onnxruntime:", SideName::Kind::kOnnxRuntime}, Prefix{"torch:", SideName::Kind::kTorch}};

class RecordedSide final : public Side {
 public:
  explicit RecordedSide(std::vector<Sample> outputs) : outputs_(std::move(outputs)) {
    for (const NamedValue& output : outputs_[0]) output_names_.push_back(output.name);
  }
  std::string runner() const override { return kRecordedRunner; }
  Result<Sample> run(size_t k, const Sample&) override { return outputs_[k]; }

 private:
  std::vector<Sample> outputs_;
};

}  // namespace

SideName parse_side(const std::string& given) {
  for (const Prefix& prefix : kPrefixes)
    if (given.starts_with(prefix.text)) return {prefix.kind, given.substr(prefix.text.size())};
  return {SideName::Kind::kModel, given};
}

void Side::describe_model(std::shared_ptr<const TypedModel> model) {
  inputs_ = describe_inputs(*model);
  for (ValueId id : model->graph.outputs) output_names_.push_back(model->graph.value(id).name);
  model_ = std::move(model);
}

std::unique_ptr<Side> recorded_side(std::vector<Sample> outputs) {
  return std::make_unique<RecordedSide>(std::move(outputs));
}

Result<std::unique_ptr<Side>> open_side(const std::string& given, Role role, const AlignOptions& options) {
  const SideName name = parse_side(given);
  const FileFormat format = TENON_TRY(detect_file(name.file));
  if (name.kind == SideName::Kind::kOnnxRuntime || name.kind == SideName::Kind::kTorch) {
    const Package package = name.kind == SideName::Kind::kTorch ? Package::kTorch : Package::kOnnxRuntime;
    return python_side(name.file, TENON_TRY(find_python(options.python, package)), package, options);
  }
  const bool is_program = format == FileFormat::kTorchExport || format == FileFormat::kTorchScript;
  if (name.kind == SideName::Kind::kModel && role == Role::kReference && is_program)
    if (auto python = find_python(options.python, Package::kTorch); python.ok())
      return python_side(name.file, *python, Package::kTorch, options);
  if (format == FileFormat::kEngine && name.kind == SideName::Kind::kModel && role == Role::kCandidate)
    return engine_side(name.file, options);
  LoadOptions load;
  load.arch = options.arch;
  load.progress = options.progress;
  auto model = std::make_shared<const TypedModel>(TENON_TRY(load_model(name.file, load)));
  if (name.kind == SideName::Kind::kFloat64)
    return model_side(std::move(model), "tenon float64", Runner::kFloat64, options);
  if (role == Role::kCandidate) return model_side(std::move(model), "tenon engine", Runner::kEngine, options);
  const char* runner = format != FileFormat::kTorchExport ? "tenon references" : kLoweringRunner;
  return model_side(std::move(model), runner, Runner::kReferences, options);
}

}  // namespace tenon::alignment
