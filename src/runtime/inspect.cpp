#include "tenon/inspect.h"

#include "base/guard_memory.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "convert/load.h"
#include "formats/detect.h"
#include "formats/onnx/reader.h"
#include "formats/torch/state_dict.h"
#include "ir/printer.h"
#include "passes/pipeline.h"
#include "runtime/cost.h"
#include "runtime/session_state.h"
#include "runtime/step_times.h"
#include "tenon/npy.h"

namespace tenon {

namespace {

std::string type_of(const Value& value) {
  return ValueType::of(value).to_string();
}

Status list_state_dict(const std::string& path, InspectReport& report) {
  StateDict weights = TENON_TRY(read_state_dict(path));
  for (const StateDict::Entry& entry : weights.entries) {
    report.tensors.emplace_back(entry.name, type_of(entry.tensor));
    report.weight_bytes += entry.tensor.bytes();
  }
  report.weights = weights.entries.size();
  report.warnings = std::move(weights.notes);
  return {};
}

Status list_arrays(const std::string& path, FileFormat format, InspectReport& report) {
  std::vector<NamedValue> arrays;
  if (format == FileFormat::kNpy)
    arrays.push_back({"", TENON_TRY(read_npy(path))});
  else
    arrays = TENON_TRY(read_npz(path));
  for (const NamedValue& array : arrays) report.tensors.emplace_back(array.name, type_of(array.value));
  return {};
}

/// What only the ONNX file itself knows.
void describe_file(const onnx::Model& model, InspectReport& report) {
  report.ir_version = model.ir_version;
  report.producer =
      model.producer_name + (model.producer_version.empty() ? "" : " " + model.producer_version);
  for (const onnx::OpsetImport& opset : model.opset_imports)
    report.opsets.emplace_back(opset.domain.empty() ? "ai.onnx" : opset.domain, opset.version);
  report.metadata = model.metadata_props;
  report.functions = model.functions.size();
  report.nodes = model.graph.nodes.size();
  for (const onnx::Node& node : model.graph.nodes) ++report.operators[node.op_type];
}

/// The model, with what the file itself says of it in the report.
Result<TypedModel> read_described(const std::string& path, const InspectOptions& options, FileFormat format,
                                  InspectReport& report) {
  if (format == FileFormat::kOnnx) {
    tell(options.progress, "reading the model");
    onnx::Model file = TENON_TRY(onnx::read_model(path));
    describe_file(file, report);
    return load_onnx(std::move(file), options.progress);
  }
  LoadOptions load;
  load.arch = options.arch;
  load.progress = options.progress;
  TypedModel model = TENON_TRY(load_model(path, load));
  report.nodes = model.graph.nodes.size();
  for (const Node& node : model.graph.nodes) ++report.operators[std::string(op_name(node.op))];
  return model;
}

/// What was timed when an engine was built is why it has the kernels that it has.
void say_times(const std::vector<StepRecord>& steps, std::vector<LayerCost>& layers) {
  for (size_t i = 0; i < layers.size() && i < steps.size(); ++i) {
    double taken_ms = 0;
    for (const StepRecord::Timed& timed : steps[i].timed)
      if (timed.row == layers[i].kernel) taken_ms = timed.time_ms;
    for (const StepRecord::Timed& timed : steps[i].timed)
      for (LayerCost::Other& other : layers[i].others)
        if (timed.row == other.kernel)
          other.reason = fmt::format("took {:.3f} ms, and this one {:.3f} ms", timed.time_ms, taken_ms);
  }
}

Status inspect_model(const std::string& path, const InspectOptions& options, FileFormat format,
                     InspectReport& report) {
  std::vector<StepRecord> records;  // of an engine
  if (format == FileFormat::kEngine) {
    const EngineFile file = TENON_TRY(EngineFile::open(path));
    records = file.record().steps;
    report.engine = {file.record().build, file.record().isa, file.record().cpu, file.bytes()};
    if (options.verify) TENON_TRY(file.verify());
  } else if (options.verify) {
    return fail(ErrorCode::kUsage, "the file is {}, and only engines have checksums", format_name(format));
  }
  TypedModel model = TENON_TRY(read_described(path, options, format, report));
  report.origin = model.origin;
  for (size_t i = 0; i < model.graph.value_count(); ++i) {
    const auto& constant = model.graph.value(ValueId{static_cast<uint32_t>(i)}).constant;
    if (!constant) continue;
    ++report.weights;
    report.weight_bytes += constant->bytes();
  }
  if (options.graph) report.file_graph = print(model);
  if (options.passes) {
    for (const passes::Pass& pass : passes::pipeline())
      report.passes.push_back({std::string(pass.name), std::string(pass.summary), 0, "", ""});
    std::string before = print(model.graph);
    passes::Options pass_options;
    pass_options.for_engine = true;
    pass_options.trace = [&](const passes::Pass& pass, const Graph& graph, size_t changes) {
      std::string after = print(graph);
      report.passes.push_back({std::string(pass.name), "", changes, std::move(before), after});
      before = std::move(after);
    };
    pass_options.progress = options.progress;
    TypedModel copy = model;
    TENON_TRY(passes::run_pipeline(copy, pass_options));
  }
  SessionOptions session_options;
  session_options.progress = options.progress;
  session_options.any_cpu = true;
  session_options.threads = options.threads;
  auto session = format == FileFormat::kEngine ? TENON_TRY(Session::open(path, session_options))
                                               : TENON_TRY(make_session(std::move(model), session_options));
  report.inputs = session->inputs();
  report.outputs = session->outputs();
  report.memory = session->memory();
  report.warnings = session->warnings();
  const Engine& engine = *session->state().engine;
  if (options.graph) report.engine_graph = print(engine.model());
  report.layers = TENON_TRY(layer_costs(engine));
  for (const LayerCost& layer : report.layers) {
    report.macs += layer.macs;
    report.reorders += layer.reorders;
  }
  say_times(records, report.layers);
  if (options.time) TENON_TRY(time_layers(*session, options.progress, report));
  return {};
}

Result<InspectReport> inspect_file(const std::string& path, const InspectOptions& options) {
  const FileFormat format = TENON_TRY(detect_file(path));
  tell(options.progress, "reading the file");
  InspectReport report;
  report.format = format_name(format);
  switch (format) {
    case FileFormat::kNpy:
    case FileFormat::kNpz:
      TENON_TRY(list_arrays(path, format, report));
      return report;
    case FileFormat::kTorchSave:
    case FileFormat::kTorchLegacy:
    case FileFormat::kSafetensors:
      if (options.arch.empty()) {
        TENON_TRY(list_state_dict(path, report));
        return report;
      }
      break;
    default:
      break;
  }
  TENON_TRY(inspect_model(path, options, format, report));
  return report;
}

}  // namespace

Result<InspectReport> inspect(const std::string& path, const InspectOptions& options) {
  auto report = guard_memory([&] { return inspect_file(path, options); });
  if (!report.ok()) return at_file(std::move(report.error()), path);
  return report;
}

}  // namespace tenon
