// tenon align REFERENCE CANDIDATE: do two forms of a model agree?
#include "tenon/align.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "align_text.h"
#include "commands.h"
#include "progress.h"
#include "tenon/values.h"
#include "text.h"

namespace tenon::cli {

namespace {

struct AlignArguments {
  std::string reference, candidate;
  std::vector<std::string> inputs;  // NAME=FILE
  std::string inputs_npz;
  std::vector<std::string> input_shapes;
  AlignOptions options;
  std::string report;
  bool json = false;
};

Status read_options(AlignArguments& arguments) {
  AlignOptions& options = arguments.options;
  auto shapes = parse_input_shapes(arguments.input_shapes);
  if (!shapes.ok()) return std::move(shapes.error());
  options.input_shapes = std::move(*shapes);
  if (!arguments.inputs_npz.empty()) {
    auto samples = read_samples(arguments.inputs_npz);
    if (!samples.ok()) return std::move(samples.error());
    options.inputs = std::move(*samples);
  }
  for (const std::string& text : arguments.inputs) {
    auto [name, file] = split_assignment(text);
    if (name.empty()) return usage_error("--input takes NAME=FILE, not '" + text + "'");
    auto value = read_value_file(file, ValueDescription());
    if (!value.ok()) return std::move(value.error());
    if (options.inputs.empty()) options.inputs.emplace_back();
    for (Sample& sample : options.inputs) sample.push_back({name, *value});
  }
  return {};
}

int run_align(AlignArguments& arguments) {
  Status read = read_options(arguments);
  if (!read.ok()) return report(read.error(), arguments.json);
  Progress progress;
  arguments.options.progress = progress.function();
  auto result = align(arguments.reference, arguments.candidate, arguments.options);
  progress.clear();
  if (!result.ok()) return report(result.error(), arguments.json);
  if (!arguments.report.empty()) {
    Status written = write_html(*result, arguments.report);
    if (!written.ok()) return report(written.error(), arguments.json);
  }
  if (arguments.json)
    print(align_json(*result));
  else
    print_align(*result);
  return result->verdict == AlignReport::Verdict::kEqual ? 0 : 1;
}

}  // namespace

void add_align_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<AlignArguments>();
  AlignOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand("align", "Prove that two forms of a model agree, or say why not");
  command->footer(
      "A side is a model file, recorded:FILE.npz (outputs that PyTorch gave),\n"
      "float64:MODEL, onnxruntime:MODEL.onnx or torch:MODEL.pt2.\n\n"
      "Example:\n"
      "  tenon align recorded:resnet18.io.npz resnet18.onnx --report report.html\n\n"
      "Exit status: 0 equal, 1 different or not comparable, 2 an error.");
  command->add_option("reference", arguments->reference, "The side that is right")->required();
  command->add_option("candidate", arguments->candidate, "The side in question")->required();
  command->add_option("--samples", options.samples, "Random samples")
      ->check(positive())
      ->capture_default_str();
  command->add_option("--seed", options.seed, "Seed of random inputs")->capture_default_str();
  command->add_option("--input", arguments->inputs, "NAME=FILE (.npy, .pb) for one input; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--inputs", arguments->inputs_npz, "Archive of inputs (.npz) by NAME or K/NAME");
  command
      ->add_option("--input-shape", arguments->input_shapes,
                   "NAME=D,D,...: sizes of an input with open dimensions")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--rtol", options.rtol, "Relative tolerance")
      ->check(not_negative())
      ->capture_default_str();
  command->add_option("--atol", options.atol, "Absolute tolerance")
      ->check(not_negative())
      ->capture_default_str();
  command->add_option("--report", arguments->report, "Write the report as one HTML file");
  command->add_flag("--per-layer", options.per_layer,
                    "Compare every value inside, and name the first that departs");
  command->add_option("--arch", options.arch, "The architecture that a state dict belongs to");
  command->add_option("--threads", options.threads, "Threads (0: as many as there are CPUs)")
      ->check(not_negative())
      ->capture_default_str();
  command
      ->add_option("--float64-samples", options.float64_samples,
                   "Samples that are also run in float64 (-1: all)")
      ->capture_default_str();
  command->add_option("--python", options.python,
                      "The Python of torch: and onnxruntime: (none: no Python at all)");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->callback([arguments, &status] { status = run_align(*arguments); });
}

}  // namespace tenon::cli
