// tenon inspect FILE: what is in a model file, and what tenon makes of it.
#include "tenon/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_set>

#include "commands.h"
#include "progress.h"
#include "terminal.h"
#include "text.h"

namespace tenon::cli {

namespace {

struct InspectArguments {
  std::string model;
  InspectOptions options;
  bool layers = false;
  bool why = false;
  bool json = false;
};

constexpr size_t kTensorsShown = 40;
constexpr size_t kLayersShown = 12;

std::string millions(int64_t count) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", static_cast<double>(count) / 1e6);
  return text;
}

/// "  (batch: 3 to 8)" for the open dimensions whose sizes have bounds.
std::string bounds(const ValueDescription& port) {
  std::string text;
  for (const Dimension& dimension : port.shape.value_or(std::vector<Dimension>())) {
    const auto& [min, max] = std::tie(dimension.min, dimension.max);
    if (!min && !max) continue;
    text += (text.empty() ? "  (" : ", ") + dimension.text + ": ";
    text += !max   ? fmt::format("at least {}", *min)
            : !min ? fmt::format("at most {}", *max)
                   : fmt::format("{} to {}", *min, *max);
  }
  return text.empty() ? text : text + ")";
}

void print_ports(const char* what, const std::vector<ValueDescription>& ports) {
  for (const ValueDescription& port : ports)
    print_named(fmt::format("{:<10} ", what), port.name,
                "  " + port.type + bounds(port) + (port.has_default ? "  (has a default)" : ""));
}

void print_operators(const std::map<std::string, size_t>& operators) {
  std::vector<std::pair<size_t, std::string>> sorted;
  for (const auto& [name, count] : operators) sorted.emplace_back(count, name);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::string line = "operators ";
  for (const auto& [count, name] : sorted) {
    std::string item = " " + std::to_string(count) + " " + name;
    if (line.size() + item.size() > 79) {
      std::printf("%s\n", line.c_str());
      line = std::string(10, ' ');
    }
    line += item;
  }
  std::printf("%s\n", line.c_str());
}

double share_of_bound(double bound_ms, double time_ms) {
  return time_ms > 0 ? 100 * bound_ms / time_ms : 0;
}

void print_layers(const InspectReport& report, bool all, bool why) {
  std::vector<const LayerCost*> layers;
  for (const LayerCost& layer : report.layers) layers.push_back(&layer);
  const size_t shown = all ? layers.size() : std::min(layers.size(), kLayersShown);
  if (!all) {
    std::sort(layers.begin(), layers.end(), [](const LayerCost* a, const LayerCost* b) {
      if (a->time_ms != b->time_ms) return a->time_ms > b->time_ms;
      return a->macs != b->macs ? a->macs > b->macs : a < b;
    });
  }
  std::printf("\n%s\n", all ? "steps in the order of running" : "the most expensive steps");
  if (report.limits)
    std::printf("%-27s %-24s %9s %7s %8s\n", "node", "kernel", "ms", "bound", "of bound");
  else
    std::printf("%-22s %-24s %9s %9s %9s\n", "node", "kernel", "MMAC", "weights", "moved");
  for (size_t i = 0; i < shown; ++i) {
    const LayerCost& layer = *layers[i];
    const std::string kernel = layer.kernel == "reference" ? layer.op + " (reference)" : layer.kernel;
    if (report.limits)
      std::printf("%s %s %9.3f %7.3f %7.0f%%\n", padded(layer.node, 27).c_str(), padded(kernel, 24).c_str(),
                  layer.time_ms, layer.bound_ms, share_of_bound(layer.bound_ms, layer.time_ms));
    else
      std::printf("%s %s %9s %9s %9s\n", padded(layer.node, 22).c_str(), padded(kernel, 24).c_str(),
                  millions(layer.macs).c_str(), readable_bytes(layer.weight_bytes).c_str(),
                  readable_bytes(layer.activation_bytes).c_str());
    if (why)
      for (const LayerCost::Other& other : layer.others)
        std::printf("    %s\n", fitted("not " + other.kernel + ": " + other.reason, 76).c_str());
  }
  if (shown < layers.size()) std::printf("... %zu steps in all; --layers shows each\n", layers.size());
}

void print_limits(const InspectReport& report) {
  double time_ms = 0, bound_ms = 0;
  for (const LayerCost& layer : report.layers) {
    time_ms += layer.time_ms;
    bound_ms += layer.bound_ms;
  }
  std::printf("%-10s %.2f ms, and the bounds of all steps together are %.2f ms (%.0f%%)\n", "time", time_ms,
              bound_ms, share_of_bound(bound_ms, time_ms));
  std::printf("%-10s %.0f GFLOP/s, %.0f GB/s from memory, %.0f from caches; threads: %d\n", "machine",
              report.limits->fma_gflops, report.limits->memory_gbps, report.limits->cache_gbps,
              report.limits->threads);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The lines that only one of two graphs has, in their order. A line names the value that it makes, so no two
/// are alike.
void print_changes(const std::string& before, const std::string& after) {
  const std::vector<std::string_view> old_lines = lines_of(before), new_lines = lines_of(after);
  const std::unordered_set<std::string_view> was(old_lines.begin(), old_lines.end()),
      is(new_lines.begin(), new_lines.end());
  for (size_t o = 0, n = 0; o < old_lines.size() || n < new_lines.size(); ++o, ++n) {
    for (; o < old_lines.size() && !is.contains(old_lines[o]); ++o)
      std::printf("- %.*s\n", static_cast<int>(old_lines[o].size()), old_lines[o].data());
    for (; n < new_lines.size() && !was.contains(new_lines[n]); ++n)
      std::printf("+ %.*s\n", static_cast<int>(new_lines[n].size()), new_lines[n].data());
  }
}

void print_fused(const std::vector<LayerCost>& layers) {
  std::printf("\nnodes that run as one step\n");
  for (const LayerCost& layer : layers)
    if (layer.fused > 1) std::printf("  %s %s\n", padded(layer.node, 22).c_str(), layer.operators.c_str());
}

void print_text(const InspectArguments& arguments, const InspectReport& report) {
  print_named("", arguments.model, ": " + report.format);
  if (!report.tensors.empty() || report.inputs.empty()) {
    for (size_t i = 0; i < report.tensors.size() && (arguments.layers || i < kTensorsShown); ++i)
      print_named("  ", report.tensors[i].first, "  " + report.tensors[i].second);
    if (!arguments.layers && report.tensors.size() > kTensorsShown)
      std::printf("  ... %zu in all; --layers shows each\n", report.tensors.size());
    if (report.weight_bytes > 0)
      std::printf("%zu tensors, %s\n", report.weights, readable_bytes(report.weight_bytes).c_str());
    return;
  }
  if (report.engine) {
    std::printf("%-10s %s by tenon %s%s\n", "built", readable_bytes(report.engine->file_bytes).c_str(),
                report.engine->build.c_str(), arguments.options.verify ? ", every checksum is right" : "");
    std::printf("%-10s %s with %s\n", "for", report.engine->cpu.c_str(), report.engine->isa.c_str());
  }
  if (!report.origin.empty()) std::printf("%-10s %s\n", "made by", report.origin.c_str());
  if (report.ir_version > 0) {
    std::printf("%-10s %lld, written by %s\n", "IR version", static_cast<long long>(report.ir_version),
                report.producer.empty() ? "an unnamed producer" : fitted(report.producer, 40).c_str());
    for (const auto& [domain, version] : report.opsets)
      std::printf("%-10s %s %lld\n", "opset", domain.c_str(), static_cast<long long>(version));
  }
  for (const auto& [key, value] : report.metadata)
    std::printf("%-10s %s\n", "metadata", fitted(key + ": " + value, line_columns() - 11).c_str());
  print_ports("input", report.inputs);
  print_ports("output", report.outputs);
  std::printf("%-10s %zu\n", "nodes", report.nodes);
  print_operators(report.operators);
  if (report.functions > 0) std::printf("%-10s %zu\n", "functions", report.functions);
  std::printf("%-10s %zu, %s\n", "weights", report.weights, readable_bytes(report.weight_bytes).c_str());
  std::printf("%-10s %s million multiply-adds in %zu steps\n", "cost", millions(report.macs).c_str(),
              report.layers.size());
  std::printf("%-10s %d inputs of steps change between plain and blocked\n", "reorders", report.reorders);
  if (report.limits) print_limits(report);
  std::printf("%-10s %s packed by kernels, activations %s\n", "memory",
              readable_bytes(report.memory.packed_bytes).c_str(),
              report.memory.activation_bytes > 0 ? readable_bytes(report.memory.activation_bytes).c_str()
                                                 : "as the input's size says");
  print_layers(report, arguments.layers, arguments.why);
  if (!report.passes.empty()) {
    std::printf("\npasses\n");
    for (const PassEffect& pass : report.passes)
      if (pass.changes == 0) std::printf("  %-20s %s\n", pass.name.c_str(), pass.summary.c_str());
    for (const PassEffect& pass : report.passes)
      if (pass.changes > 0) {
        std::printf("\n%s, changes: %zu\n", pass.name.c_str(), pass.changes);
        print_changes(pass.before, pass.after);
      }
    print_fused(report.layers);
  }
  if (arguments.options.graph)
    std::printf("\nthe graph as it is in the file\n%s\nthe graph as it runs\n%s", report.file_graph.c_str(),
                report.engine_graph.c_str());
}

nlohmann::ordered_json others_json(const LayerCost& layer) {
  nlohmann::ordered_json others = nlohmann::ordered_json::array();
  for (const LayerCost::Other& other : layer.others)
    others.push_back({{"kernel", other.kernel}, {"reason", other.reason}});
  return others;
}

nlohmann::ordered_json to_json(const InspectArguments& arguments, const InspectReport& report) {
  using Json = nlohmann::ordered_json;
  Json object = {{"model", arguments.model}, {"format", report.format}, {"origin", report.origin}};
  object["ir_version"] = report.ir_version;
  object["producer"] = report.producer;
  object["opsets"] = Json::object();
  for (const auto& [domain, version] : report.opsets) object["opsets"][domain] = version;
  object["metadata"] = Json::object();
  for (const auto& [key, value] : report.metadata) object["metadata"][key] = value;
  object["inputs"] = ports_json(report.inputs);
  object["outputs"] = ports_json(report.outputs);
  object["nodes"] = report.nodes;
  object["operators"] = report.operators;
  object["functions"] = report.functions;
  object["weights"] = report.weights;
  object["weight_bytes"] = report.weight_bytes;
  object["tensors"] = Json::array();
  for (const auto& [name, type] : report.tensors)
    object["tensors"].push_back({{"name", name}, {"type", type}});
  object["macs"] = report.macs;
  object["reorders"] = report.reorders;
  if (report.limits)
    object["limits"] = {{"threads", report.limits->threads},
                        {"fma_gflops", report.limits->fma_gflops},
                        {"memory_gbps", report.limits->memory_gbps},
                        {"cache_gbps", report.limits->cache_gbps}};
  object["packed_bytes"] = report.memory.packed_bytes;
  object["activation_bytes"] = report.memory.activation_bytes;
  object["layers"] = Json::array();
  for (const LayerCost& layer : report.layers)
    object["layers"].push_back({{"node", layer.node},
                                {"op", layer.op},
                                {"kernel", layer.kernel},
                                {"output", layer.output},
                                {"module", layer.module_path},
                                {"macs", layer.macs},
                                {"weight_bytes", layer.weight_bytes},
                                {"activation_bytes", layer.activation_bytes},
                                {"fused", layer.fused},
                                {"operators", layer.operators},
                                {"reorders", layer.reorders},
                                {"work", layer.work},
                                {"packed_bytes", layer.packed_bytes},
                                {"others", others_json(layer)}});
  if (report.limits)
    for (size_t i = 0; i < report.layers.size(); ++i) {
      object["layers"][i]["time_ms"] = report.layers[i].time_ms;
      object["layers"][i]["bound_ms"] = report.layers[i].bound_ms;
    }
  if (arguments.options.passes) {
    object["passes"] = Json::array();
    for (const PassEffect& pass : report.passes)
      object["passes"].push_back({{"name", pass.name},
                                  {"summary", pass.summary},
                                  {"changes", pass.changes},
                                  {"before", pass.before},
                                  {"after", pass.after}});
  }
  if (arguments.options.graph) {
    object["graph"] = report.file_graph;
    object["engine_graph"] = report.engine_graph;
  }
  if (report.engine)
    object["engine"] = {{"build", report.engine->build},
                        {"isa", report.engine->isa},
                        {"cpu", report.engine->cpu},
                        {"file_bytes", report.engine->file_bytes},
                        {"verified", arguments.options.verify}};
  object["warnings"] = report.warnings;
  return object;
}

int run_inspect(InspectArguments& arguments) {
  Progress progress;
  arguments.options.progress = progress.function();
  auto result = inspect(arguments.model, arguments.options);
  progress.clear();
  if (!result.ok()) return report(result.error(), arguments.json);
  if (arguments.json)
    print(to_json(arguments, *result));
  else
    print_text(arguments, *result);
  for (const std::string& warning : result->warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return 0;
}

}  // namespace

void add_inspect_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand("inspect", "Say what is in a model file");
  command->footer(
      "Examples:\n"
      "  tenon inspect resnet18.onnx\n"
      "  tenon inspect weights.pth --layers\n"
      "  tenon inspect resnet18.pt2 --graph\n"
      "  tenon inspect resnet18.engine --layers --time --why");
  command
      ->add_option("model", arguments->model,
                   "A model (.onnx, .pt2), an engine, weights (.pth, .safetensors), .npz or .npy")
      ->required();
  command->add_option("--arch", arguments->options.arch, "The architecture that a state dict belongs to");
  command->add_flag("--layers", arguments->layers, "Every step (or tensor), in order");
  command->add_flag("--graph", arguments->options.graph, "The graph as text, as in the file and as it runs");
  command->add_flag("--passes", arguments->options.passes,
                    "What each pass changed, and which nodes run as one step");
  command->add_flag("--time", arguments->options.time,
                    "What each step takes, and the least that it could take on this machine");
  command->add_option("--threads", arguments->options.threads, "Threads of timed runs (0: as many as CPUs)")
      ->check(not_negative());
  command->add_flag("--why", arguments->why, "Why each step does not run by another kernel");
  command->add_flag("--verify", arguments->options.verify, "Check all of an engine file, weights included");
  command->add_flag("--json", arguments->json, "Print everything as JSON");
  command->callback([arguments, &status] { status = run_inspect(*arguments); });
}

}  // namespace tenon::cli
