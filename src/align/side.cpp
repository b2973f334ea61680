#include "align/side.h"

#include <array>

#include "base/mapped_file.h"
#include "convert/load.h"
#include "formats/detect.h"
#include "runtime/session_state.h"

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
  std::string runner() const override { return "recorded"; }
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
  for (ValueId id : model->graph.inputs) inputs_.push_back(describe(model->graph, id));
  for (ValueId id : model->graph.outputs) output_names_.push_back(model->graph.value(id).name);
  model_ = std::move(model);
}

std::unique_ptr<Side> recorded_side(std::vector<Sample> outputs) {
  return std::make_unique<RecordedSide>(std::move(outputs));
}

Result<std::unique_ptr<Side>> open_side(const std::string& given, Role role, const AlignOptions& options) {
  const SideName name = parse_side(given);
  LoadOptions load;
  load.arch = options.arch;
  auto loaded = load_model(name.file, load);
  if (!loaded.ok()) return std::move(loaded.error());
  auto model = std::make_shared<const TypedModel>(std::move(*loaded));
  if (name.kind == SideName::Kind::kFloat64)
    return model_side(std::move(model), "tenon float64", Runner::kFloat64, options);
  if (role == Role::kCandidate) return model_side(std::move(model), "tenon engine", Runner::kEngine, options);
  const FileFormat format = detect_format(TENON_TRY(MappedFile::open(name.file))->bytes());
  const char* runner = format == FileFormat::kOnnx ? "tenon references" : "tenon lowering";
  return model_side(std::move(model), runner, Runner::kReferences, options);
}

}  // namespace tenon::alignment
