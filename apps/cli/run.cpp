// tenon run MODEL: runs a model on given or random inputs, and saves or shows what comes out.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "commands.h"
#include "progress.h"
#include "tenon/memory.h"
#include "tenon/npy.h"
#include "tenon/session.h"
#include "tenon/values.h"
#include "terminal.h"
#include "text.h"

namespace tenon::cli {

namespace {

struct RunArguments {
  std::string model;
  std::vector<std::string> inputs;  // NAME=FILE or NAME=random
  std::string inputs_npz;
  std::vector<std::string> outputs;
  std::string save;
  std::string inputs_dir;
  std::string outputs_dir;
  std::string provider = "cpu";
  SessionOptions session;
  double timeout_s = 0;
  uint64_t memory_mb = 0;
  uint64_t seed = 0;
  bool json = false;
};

const ValueDescription* find_input(const Session& session, const std::string& name) {
  for (const ValueDescription& input : session.inputs())
    if (input.name == name) return &input;
  return nullptr;
}

/// "NAME=FILE" or "NAME=random".
Result<NamedValue> read_input(const Session& session, const std::string& text, uint64_t seed) {
  auto [name, source] = split_assignment(text);
  if (name.empty()) return usage_error("--input takes NAME=FILE or NAME=random, not '" + text + "'");
  // A name that the model does not have goes on as a tensor, and the session says which names come near.
  ValueDescription description;
  if (const ValueDescription* known = find_input(session, name)) description = *known;
  if (source == "random") {
    if (description.name.empty()) return NamedValue{name, Value()};
    RandomOptions options;
    options.seed = seed;
    return random_input(description, options);
  }
  auto value = read_value_file(source, description);
  if (!value.ok()) return std::move(value.error());
  return NamedValue{std::move(name), std::move(*value)};
}

/// Files as in ONNX's test layout: input_K.pb is the model's input K.
Result<std::vector<NamedValue>> read_inputs_dir(const Session& session, const std::string& folder) {
  std::vector<NamedValue> values;
  if (!std::filesystem::is_directory(folder)) {
    Error error = usage_error("there is no such folder");
    error.code = ErrorCode::kNotFound;
    error.file = folder;
    return error;
  }
  for (size_t i = 0; i < session.inputs().size(); ++i) {
    const ValueDescription& input = session.inputs()[i];
    const std::string path =
        (std::filesystem::path(folder) / ("input_" + std::to_string(i) + ".pb")).string();
    if (!std::filesystem::exists(path) && input.has_default) continue;
    auto value = read_value_file(path, input);
    if (!value.ok()) return std::move(value.error());
    values.push_back({input.name, std::move(*value)});
  }
  return values;
}

Result<std::vector<NamedValue>> gather_inputs(const Session& session, const RunArguments& arguments) {
  if (!arguments.inputs_dir.empty()) return read_inputs_dir(session, arguments.inputs_dir);
  std::vector<NamedValue> values;
  if (!arguments.inputs_npz.empty()) {
    auto arrays = read_npz(arguments.inputs_npz);
    if (!arrays.ok()) return std::move(arrays.error());
    values = std::move(*arrays);
  }
  for (const std::string& text : arguments.inputs) {
    auto value = read_input(session, text, arguments.seed);
    if (!value.ok()) return std::move(value.error());
    values.push_back(std::move(*value));
  }
  return values;
}

/// One output_K.pb for each output, in order.
Status add_outputs_dir(OutputFiles& files, const std::string& folder,
                       const std::vector<NamedValue>& outputs) {
  for (size_t k = 0; k < outputs.size(); ++k) {
    const auto path = std::filesystem::path(folder) / ("output_" + std::to_string(k) + ".pb");
    Status added = files.add_value(path.string(), outputs[k].value, outputs[k].name);
    if (!added.ok()) return added;
  }
  return {};
}

/// An archive in which a name asked for twice is one array.
Status add_archive(OutputFiles& files, const std::string& path, const std::vector<NamedValue>& outputs) {
  std::vector<NamedValue> arrays;
  for (const NamedValue& output : outputs) {
    bool known = false;
    for (const NamedValue& array : arrays) known |= array.name == output.name;
    if (!known) arrays.push_back(output);
  }
  return files.add_npz(path, arrays);
}

/// All that --outputs-dir and --save ask for, or nothing: a failure leaves older files as they were.
Status write_outputs(const RunArguments& arguments, const std::vector<NamedValue>& outputs) {
  const std::string& folder = arguments.outputs_dir;
  std::error_code failure;
  const bool is_new_folder = !folder.empty() && std::filesystem::create_directories(folder, failure);
  OutputFiles files;
  Status status;
  if (!folder.empty()) status = add_outputs_dir(files, folder, outputs);
  if (status.ok() && !arguments.save.empty()) status = add_archive(files, arguments.save, outputs);
  if (status.ok()) status = files.commit();
  if (status.ok() || !is_new_folder) return status;
  files = OutputFiles();  // removes what lies in the folder
  std::filesystem::remove(folder, failure);
  return status;
}

std::string describe_value(const Value& value) {
  if (value.is_tensor())
    return std::string(data_type_name(value.tensor().type())) + to_string(value.tensor().shape());
  if (value.is_sequence()) return "sequence of " + std::to_string(value.sequence().items.size());
  if (value.is_map()) return "map of " + std::to_string(value.map().entries.size());
  return value.optional().value ? "optional " + describe_value(*value.optional().value) : "nothing";
}

void show(const Session& session, const std::vector<NamedValue>& outputs, bool json) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const NamedValue& output : outputs) {
    auto description = session.find_value(output.name);
    const bool recomputed = description && description->recomputed;
    if (json)
      list.push_back(
          {{"name", output.name}, {"type", describe_value(output.value)}, {"recomputed", recomputed}});
    else
      print_named("", output.name,
                  ": " + describe_value(output.value) +
                      (recomputed ? " (recomputed: the engine does not keep it)" : ""));
  }
  if (json) print({{"outputs", std::move(list)}});
}

/// At most 30 years, so that no deadline is beyond what clocks count.
std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(std::min(seconds, 1e9) * 1000));
}

Result<int> run_model(RunArguments& arguments) {
  if (arguments.provider != "cpu")
    return usage_error("there is no provider '" + arguments.provider + "'", "the only provider is cpu");
  if (!arguments.inputs_dir.empty() && (!arguments.inputs.empty() || !arguments.inputs_npz.empty()))
    return usage_error("--inputs-dir cannot be combined with --input or --inputs");
  if (arguments.memory_mb > 0) set_memory_limit_bytes(arguments.memory_mb * 1'000'000);
  const auto began = std::chrono::steady_clock::now();
  Progress progress;
  arguments.session.progress = progress.function();
  auto session = Session::open(arguments.model, arguments.session);
  if (!session.ok()) return std::move(session.error());
  progress.show("reading inputs", 0, 0);
  auto inputs = gather_inputs(**session, arguments);
  if (!inputs.ok()) return std::move(inputs.error());
  RunContext context;
  context.set_progress(progress.function());
  if (arguments.timeout_s > 0) context.set_deadline(began + milliseconds(arguments.timeout_s));
  auto outputs = (*session)->run(*inputs, arguments.outputs, &context);
  if (!outputs.ok()) {
    Error error = std::move(outputs.error());
    if (error.file.empty()) error.file = arguments.model;
    return error;
  }
  progress.show("writing outputs", 0, 0);
  Status written = write_outputs(arguments, *outputs);
  progress.clear();
  if (!written.ok()) return std::move(written.error());
  if (arguments.json || (arguments.save.empty() && arguments.outputs_dir.empty()))
    show(**session, *outputs, arguments.json);
  return 0;
}

}  // namespace

void add_run_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Run a model and save or show its outputs");
  command->footer("Example:\n  tenon run resnet18.onnx --input image=x.npy --output logits --save out.npz");
  command->add_option("model", arguments->model, "Model file")->required();
  command->add_option("--input", arguments->inputs, "NAME=FILE (.npy, .pb) or NAME=random; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--inputs", arguments->inputs_npz, "Archive of inputs (.npz) by name");
  command->add_option("--output", arguments->outputs, "Value to give, any of the model's; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--save", arguments->save, "Write the outputs to this .npz");
  command->add_option("--inputs-dir", arguments->inputs_dir, "Folder with input_K.pb, as in ONNX's tests");
  command->add_option("--outputs-dir", arguments->outputs_dir, "Folder to write output_K.pb to");
  command->add_option("--threads", arguments->session.threads, "Threads (0: as many as there are CPUs)")
      ->check(not_negative())
      ->capture_default_str();
  command->add_option("--timeout", arguments->timeout_s, "End with an error after this many seconds")
      ->check(not_negative());
  command
      ->add_option("--memory-limit", arguments->memory_mb, "MB that values may take (default: the machine's)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
  command->add_option("--provider", arguments->provider, "Where to run")->capture_default_str();
  command->add_option("--seed", arguments->seed, "Seed of random inputs")->capture_default_str();
  command->add_option("--disable-pass", arguments->session.disabled_passes, "Leave out a pass, or 'all'")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      ->add_option("--prefer-kernel", arguments->session.preferred_kernels,
                   "Take kernels whose names begin so wherever they can be")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_flag("--reference", arguments->session.references_only, "Run by the plain references");
  command->add_flag("--any-cpu", arguments->session.any_cpu, "Open an engine that was tuned on another CPU");
  command->add_flag("--json", arguments->json, "Print what came out as JSON");
  command->callback([arguments, &status] {
    auto result = run_model(*arguments);
    status = result.ok() ? *result : report(result.error(), arguments->json);
  });
}

}  // namespace tenon::cli
