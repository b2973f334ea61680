// tenon export MODEL -o OUT.onnx: a PyTorch file to ONNX.
#include "tenon/export.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "progress.h"
#include "terminal.h"
#include "text.h"

namespace tenon::cli {

namespace {

struct ExportArguments {
  std::string model, output;
  std::string input_names, output_names;             // split at commas
  std::vector<std::string> input_name, output_name;  // as they are
  std::vector<std::string> input_shapes, dynamic, dimension_names;
  ExportOptions options;
  bool json = false;
  bool verbose = false;
};

Status read_lists(ExportArguments& arguments) {
  ExportOptions& options = arguments.options;
  options.input_names = split(arguments.input_names, ',');
  options.input_names.insert(options.input_names.end(), arguments.input_name.begin(),
                             arguments.input_name.end());
  options.output_names = split(arguments.output_names, ',');
  options.output_names.insert(options.output_names.end(), arguments.output_name.begin(),
                              arguments.output_name.end());
  auto shapes = parse_input_shapes(arguments.input_shapes);
  if (!shapes.ok()) return std::move(shapes.error());
  options.input_shapes = std::move(*shapes);
  for (const std::string& text : arguments.dynamic) {
    auto [place, name] = split_assignment(text);
    size_t colon = place.rfind(':');
    auto axis = colon == std::string::npos ? std::nullopt : parse_integer(place.substr(colon + 1));
    if (name.empty() || !axis)
      return usage_error("--dynamic '" + text + "' is not INPUT:AXIS=NAME",
                         "for example --dynamic input:0=batch");
    options.dynamic.push_back({place.substr(0, colon), *axis, name});
  }
  for (const std::string& text : arguments.dimension_names) {
    auto [symbol, name] = split_assignment(text);
    if (symbol.empty() || name.empty())
      return usage_error("--dim-name '" + text + "' is not SYMBOL=NAME", "for example --dim-name s77=batch");
    options.dimension_names[symbol] = name;
  }
  return {};
}

void print_json(const ExportArguments& arguments, const ExportReport& report) {
  print(nlohmann::ordered_json{{"model", arguments.model},
                               {"output", arguments.output},
                               {"opset", report.opset},
                               {"ir_version", report.ir_version},
                               {"inputs", ports_json(report.inputs)},
                               {"outputs", ports_json(report.outputs)},
                               {"nodes", report.node_count},
                               {"initializers", report.initializer_count},
                               {"weight_bytes", report.weight_bytes},
                               {"operators", report.operators},
                               {"warnings", report.warnings}});
}

void print_text(const ExportArguments& arguments, const ExportReport& report) {
  print_named("", arguments.output,
              fmt::format(": opset {}, {} nodes, {} weights ({})", report.opset, report.node_count,
                          report.initializer_count, readable_bytes(report.weight_bytes)));
  auto ports = [](const char* what, const std::vector<ExportReport::Port>& list) {
    for (const auto& port : list) print_named(fmt::format("  {:<7} ", what), port.name, "  " + port.type);
  };
  ports("input", report.inputs);
  ports("output", report.outputs);
  if (arguments.verbose) {
    std::printf("  IR version %lld; operators:\n", static_cast<long long>(report.ir_version));
    for (const auto& [name, count] : report.operators) std::printf("    %5zu %s\n", count, name.c_str());
  }
}

int run_export(ExportArguments& arguments) {
  Status lists = read_lists(arguments);
  if (!lists.ok()) return report(lists.error(), arguments.json);
  Progress progress;
  arguments.options.progress = progress.function();
  auto result = export_model(arguments.model, arguments.output, arguments.options);
  progress.clear();
  if (!result.ok()) return report(result.error(), arguments.json);
  for (const std::string& warning : result->warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  if (arguments.json)
    print_json(arguments, *result);
  else
    print_text(arguments, *result);
  return 0;
}

}  // namespace

void add_export_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app.add_subcommand("export", "Convert a PyTorch file to ONNX");
  command->footer(
      "Example:\n"
      "  tenon export resnet18.pt2 -o resnet18.onnx --opset 17 \\\n"
      "    --input-names image --output-names logits");
  command->add_option("model", arguments->model, "A .pt2 file; with --arch a state dict; or an .onnx file")
      ->required();
  command->add_option("-o,--output", arguments->output, "The ONNX file to write")->required();
  command->add_option("--opset", arguments->options.opset, "ai.onnx opset of the file, 11 to 28")
      ->capture_default_str();
  command->add_option("--input-names", arguments->input_names, "Names of the inputs, split at commas");
  command->add_option("--output-names", arguments->output_names, "Names of the outputs, split at commas");
  command->add_option("--input-name", arguments->input_name, "One input's name as it is; may be repeated");
  command->add_option("--output-name", arguments->output_name, "One output's name as it is; may be repeated");
  command->add_option("--input-shape", arguments->input_shapes, "NAME=D,D,...: fix the shape of an input");
  command->add_option("--dynamic", arguments->dynamic, "INPUT:AXIS=NAME: a dimension that must stay dynamic");
  command->add_option("--dim-name", arguments->dimension_names,
                      "SYMBOL=NAME: rename a dimension of the program");
  command->add_option("--arch", arguments->options.arch, "The architecture that a state dict belongs to");
  command->add_flag("--fold", arguments->options.fold, "Fold constants and drop nodes without effect");
  command->add_flag("--external-data", arguments->options.external_data,
                    "Write the weights to OUT.onnx.data");
  command->add_flag("--verbose", arguments->verbose, "Say more about the result");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->callback([arguments, &status] { status = run_export(*arguments); });
}

}  // namespace tenon::cli
