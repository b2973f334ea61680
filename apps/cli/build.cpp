// tenon build MODEL -o OUT.engine: a model compiled and tuned for this machine.
#include <fmt/format.h>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "commands.h"
#include "progress.h"
#include "tenon/engine.h"
#include "tenon/npy.h"
#include "terminal.h"
#include "text.h"

namespace tenon::cli {

namespace {

struct BuildArguments {
  std::string model, output, inputs;
  BuildOptions options;
  bool no_tune = false;
  bool verbose = false;
  bool json = false;
};

const TunedStep::Candidate& taken(const TunedStep& step) {
  return *std::ranges::find(step.candidates, step.kernel, &TunedStep::Candidate::kernel);
}

void print_json(const BuildArguments& arguments, const BuildReport& report) {
  nlohmann::ordered_json tuned = nlohmann::ordered_json::array();
  for (const TunedStep& step : report.tuned) {
    nlohmann::ordered_json candidates = nlohmann::ordered_json::array();
    for (const auto& candidate : step.candidates)
      candidates.push_back({{"kernel", candidate.kernel}, {"time_ms", candidate.time_ms}});
    tuned.push_back({{"node", step.node},
                     {"op", step.op},
                     {"kernel", step.kernel},
                     {"candidates", std::move(candidates)}});
  }
  print(nlohmann::ordered_json{{"model", arguments.model},
                               {"output", arguments.output},
                               {"file_bytes", report.file_bytes},
                               {"weight_bytes", report.weight_bytes},
                               {"packed_bytes", report.packed_bytes},
                               {"steps", report.steps},
                               {"isa", report.isa},
                               {"cpu", report.cpu},
                               {"tuned", std::move(tuned)},
                               {"warnings", report.warnings}});
}

void print_text(const BuildArguments& arguments, const BuildReport& report) {
  print_named("", arguments.output,
              fmt::format(": {} steps, {} ({} packed for the kernels)", report.steps,
                          readable_bytes(report.file_bytes), readable_bytes(report.packed_bytes)));
  std::printf("  for %s with %s\n", report.cpu.c_str(), report.isa.c_str());
  size_t changed = 0;
  double before = 0, after = 0;
  for (const TunedStep& step : report.tuned) {
    changed += step.kernel != step.candidates[0].kernel ? 1 : 0;
    before += step.candidates[0].time_ms;
    after += taken(step).time_ms;
  }
  if (!report.tuned.empty())
    std::printf("  %zu steps timed by several kernels, %zu changed: %.2f ms in place of %.2f ms\n",
                report.tuned.size(), changed, after, before);
  if (!arguments.verbose) return;
  for (const TunedStep& step : report.tuned) {
    std::printf("  %s\n", fitted(step.op + " " + step.node, 76).c_str());
    for (const auto& candidate : step.candidates)
      std::printf("    %9.3f ms  %s%s\n", candidate.time_ms, candidate.kernel.c_str(),
                  candidate.kernel == step.kernel ? "  (taken)" : "");
  }
}

int run(BuildArguments& arguments) {
  Progress progress;
  arguments.options.progress = progress.function();
  arguments.options.tune = !arguments.no_tune;
  if (!arguments.inputs.empty()) {
    auto inputs = read_npz(arguments.inputs);
    if (!inputs.ok()) return report(inputs.error(), arguments.json);
    arguments.options.inputs = std::move(*inputs);
  }
  const auto result = build_engine(arguments.model, arguments.output, arguments.options);
  progress.clear();
  if (!result.ok()) return report(result.error(), arguments.json);
  if (arguments.json)
    print_json(arguments, *result);
  else
    print_text(arguments, *result);
  for (const std::string& warning : result->warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return 0;
}

}  // namespace

void add_build_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<BuildArguments>();
  CLI::App* command = app.add_subcommand("build", "Compile and tune a model for this machine");
  command->footer(
      "Examples:\n"
      "  tenon build resnet18.onnx -o resnet18.engine\n"
      "  tenon run resnet18.engine --input input=random");
  command->add_option("model", arguments->model, "A model (.onnx, .pt2) or, with --arch, a state dict")
      ->required();
  command->add_option("-o,--output", arguments->output, "The engine file to write")->required();
  command->add_option("--arch", arguments->options.arch, "The architecture that a state dict belongs to");
  command->add_option("--inputs", arguments->inputs,
                      "Archive (.npz) of inputs to time with (default: random)");
  command->add_option("--threads", arguments->options.threads, "Threads to time with (0: as many as CPUs)")
      ->check(not_negative())
      ->capture_default_str();
  command->add_flag("--no-tune", arguments->no_tune,
                    "Take the kernels that a session of the model takes, without timing");
  command->add_option("--disable-pass", arguments->options.disabled_passes,
                      "A pass that shall not run; \"all\" for none");
  command->add_flag("--verbose", arguments->verbose, "Show each step's kernels and times");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->callback([arguments, &status] { status = run(*arguments); });
}

}  // namespace tenon::cli
