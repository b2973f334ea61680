#include "tenon/export.h"

#include <new>

#include "convert/load.h"
#include "formats/onnx/writer.h"
#include "ops/core/builder.h"
#include "ops/core/emit.h"
#include "passes/pipeline.h"

namespace tenon {

namespace {

constexpr int kOldestExport = 11;

Status fix_input_shapes(TypedModel& model, const std::map<std::string, std::vector<int64_t>>& shapes) {
  if (shapes.empty()) return {};
  std::map<std::string, int64_t> fixed;  // symbol to value
  for (const auto& [name, shape] : shapes) {
    ValueId id = model.graph.find(name);
    if (id == kNoValue || !model.graph.is_input(id))
      return fail(ErrorCode::kUsage, "the model has no input called '{}'", name);
    ValueType& type = model.graph.value(id).type;
    if (type.shape && type.shape->size() != shape.size())
      return fail(ErrorCode::kUsage, "input '{}' is {}, which the shape {} does not fit", name,
                  type.to_string(), to_string(shape));
    for (size_t i = 0; type.shape && i < shape.size(); ++i) {
      const SymInt& dim = (*type.shape)[i];
      if (auto known = dim.constant(); known && *known != shape[i])
        return with_hint(
            fail(ErrorCode::kUsage, "dimension {} of input '{}' is {} in the program, not {}", i, name,
                 *known, shape[i]),
            "export the program again with torch.export and that shape, or with a dynamic dimension");
      if (auto symbol = dim.symbol_name()) fixed[*symbol] = shape[i];
    }
    type.shape = to_sym(shape);
  }
  for (ValueId id : model.graph.inputs) {
    ValueType& type = model.graph.value(id).type;
    if (!type.shape) continue;
    for (SymInt& dim : *type.shape)
      dim = dim.substitute([&](const std::string& symbol) -> std::optional<SymInt> {
        auto it = fixed.find(symbol);
        return it == fixed.end() ? std::nullopt : std::optional<SymInt>(it->second);
      });
  }
  return ops::infer_graph(model.graph);
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
  load.lower.input_names = options.input_names;
  load.lower.output_names = options.output_names;
  load.lower.dimension_names = options.dimension_names;
  for (const auto& wish : options.dynamic) load.lower.dynamic.push_back({wish.input, wish.axis, wish.name});
  TypedModel typed = TENON_TRY(load_model(path, load));
  TENON_TRY(fix_input_shapes(typed, options.input_shapes));

  if (options.fold) TENON_TRY(passes::run_pipeline(typed, {}));

  ops::EmitOptions emit_options;
  emit_options.opset = options.opset;
  onnx::Model model = TENON_TRY(ops::emit(typed, emit_options));
  ExportReport report;
  report.opset = options.opset;
  fill_report(model, typed, report);
  onnx::WriteOptions write;
  if (options.external_data) write.external_data = onnx::WriteOptions::ExternalData::kAlways;
  Status written = onnx::write_model(model, output, write);
  if (!written.ok()) return at_file(std::move(written.error()), output);
  return report;
}

}  // namespace

Result<ExportReport> export_model(const std::string& path, const std::string& output,
                                  const ExportOptions& options) {
  try {
    auto report = convert(path, output, options);
    if (!report.ok()) return at_file(std::move(report.error()), path);
    return report;
  } catch (const std::bad_alloc&) {
    return at_file(fail(ErrorCode::kOutOfMemory, "memory ran out during the conversion"), path);
  }
}

}  // namespace tenon
