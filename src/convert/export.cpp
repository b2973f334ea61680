#include "tenon/export.h"

#include <algorithm>

#include "base/guard_memory.h"
#include "convert/load.h"
#include "convert/ports.h"
#include "formats/onnx/writer.h"
#include "ops/core/emit.h"
#include "passes/pipeline.h"

namespace tenon {

namespace {

constexpr int kOldestExport = 11;

/// What the model calls an input that the user may also call by the name that it is given.
std::string own_name(const TypedModel& model, const ExportOptions& options, const std::string& name) {
  const std::vector<std::string>& names = options.input_names;
  const auto at = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  return at < names.size() && at < model.graph.inputs.size() ? model.graph.value(model.graph.inputs[at]).name
                                                             : name;
}

void fill_report(const onnx::Model& model, const TypedModel& typed, ExportReport& report) {
  auto ports = [&](const std::vector<ValueId>& ids) {
    std::vector<ExportReport::Port> out;
    for (ValueId id : ids) {
      const GraphValue& value = typed.graph.value(id);
      out.push_back({value.name, value.type.to_string()});
    }
    return out;
  };
  report.inputs = ports(typed.graph.inputs);
  report.outputs = ports(typed.graph.outputs);
  report.ir_version = model.ir_version;
  report.node_count = model.graph.nodes.size();
  report.initializer_count = model.graph.initializers.size();
  for (const onnx::TensorData& data : model.graph.initializers) report.weight_bytes += data.value.bytes();
  for (const onnx::Node& node : model.graph.nodes) ++report.operators[node.op_type];
  report.warnings = typed.warnings;
}

Result<ExportReport> convert(const std::string& path, const std::string& output,
                             const ExportOptions& options) {
  if (options.opset < kOldestExport || options.opset > ops::kNewestOpset)
    return fail(ErrorCode::kUsage, "opset {} cannot be exported; {} to {} can", options.opset, kOldestExport,
                ops::kNewestOpset);
  LoadOptions load;
  load.arch = options.arch;
  load.progress = options.progress;
  TypedModel typed = TENON_TRY(load_model(path, load));
  std::vector<OpenDimension> open;
  for (const auto& wish : options.dynamic)
    open.push_back({own_name(typed, options, wish.input), wish.axis, wish.name});
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& [input, shape] : options.input_shapes) shapes[own_name(typed, options, input)] = shape;
  for (const OpenDimension& wish : open)
    if (shapes.contains(wish.input))
      return fail(ErrorCode::kUsage, "input '{}' cannot have a fixed shape and a dynamic dimension {}",
                  wish.input, wish.axis);
  TENON_TRY(name_dimensions(typed, options.dimension_names, open));
  TENON_TRY(fix_input_shapes(typed, shapes));
  TENON_TRY(name_ports(typed, options.input_names, options.output_names));

  if (options.fold) {
    passes::Options pass_options;
    pass_options.progress = options.progress;
    TENON_TRY(passes::run_pipeline(typed, pass_options));
  }

  ops::EmitOptions emit_options;
  emit_options.opset = options.opset;
  emit_options.progress = options.progress;
  onnx::Model model = TENON_TRY(ops::emit(typed, emit_options));
  ExportReport report;
  report.opset = options.opset;
  fill_report(model, typed, report);
  onnx::WriteOptions write;
  write.progress = options.progress;
  if (options.external_data) write.external_data = onnx::WriteOptions::ExternalData::kAlways;
  Status written = onnx::write_model(model, output, write);
  if (!written.ok()) return at_file(std::move(written.error()), output);
  return report;
}

}  // namespace

Result<ExportReport> export_model(const std::string& path, const std::string& output,
                                  const ExportOptions& options) {
  auto report =
      guard_memory([&] { return convert(path, output, options); }, "memory ran out during the conversion");
  if (!report.ok()) return at_file(std::move(report.error()), path);
  return report;
}

}  // namespace tenon
