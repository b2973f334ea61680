// tenon bench MODEL...: latency, load time and memory.
#include "tenon/bench.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "progress.h"
#include "terminal.h"
#include "text.h"

namespace tenon::cli {

namespace {

struct BenchArguments {
  std::vector<std::string> models;
  BenchOptions options;
  bool json = false;
};

nlohmann::ordered_json to_json(const BenchResult& result) {
  nlohmann::ordered_json object = {{"model", result.model},
                                   {"provider", "cpu"},
                                   {"threads", result.threads},
                                   {"batch", result.batch},
                                   {"precision", "f32"},
                                   {"latency_ms",
                                    {{"min", result.min_ms},
                                     {"median", result.median_ms},
                                     {"p90", result.p90_ms},
                                     {"p99", result.p99_ms}}},
                                   {"load_ms", result.load_ms},
                                   {"first_ms", result.first_ms},
                                   {"peak_rss_bytes", result.peak_rss_bytes},
                                   {"weight_bytes", result.memory.weight_bytes},
                                   {"packed_bytes", result.memory.packed_bytes},
                                   {"activation_bytes", result.memory.activation_bytes}};
  if (result.steps.empty()) return object;
  auto& steps = object["steps"] = nlohmann::ordered_json::array();
  for (const BenchResult::Step& step : result.steps)
    steps.push_back(
        {{"node", step.node}, {"op", step.op}, {"kernel", step.kernel}, {"time_ms", step.time_ms}});
  return object;
}

constexpr size_t kStepsMax = 20;

/// Where the time goes: by operator and kernel, and the slowest steps.
void print_profile(const BenchResult& result) {
  std::map<std::pair<std::string, std::string>, std::pair<int, double>> kinds;
  double total = 0;
  for (const BenchResult::Step& step : result.steps) {
    auto& [count, time] = kinds[{step.op, step.kernel}];
    ++count;
    time += step.time_ms;
    total += step.time_ms;
  }
  std::vector<std::pair<double, std::string>> rows;
  auto print_rows = [&](const char* title) {
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::printf("%s\n", title);
    for (size_t i = 0; i < rows.size() && i < kStepsMax; ++i) {
      const auto& [time, text] = rows[i];
      std::printf("  %9.3f %5.1f %%  %s\n", time, total > 0 ? 100 * time / total : 0.0,
                  fitted(text, 57).c_str());
    }
    rows.clear();
  };
  for (const auto& [kind, sum] : kinds)
    rows.emplace_back(sum.second, kind.first + " by " + kind.second + ", " + std::to_string(sum.first) +
                                      (sum.first == 1 ? " step" : " steps"));
  print_rows("\ntime by operator, ms");
  for (const BenchResult::Step& step : result.steps)
    rows.emplace_back(step.time_ms, step.op + " " + step.node + " by " + step.kernel);
  print_rows("\nthe slowest steps, ms");
}

int run(BenchArguments& arguments) {
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  bool has_header = false;
  for (const std::string& model : arguments.models) {
    Progress progress;
    arguments.options.progress = progress.function();
    const auto result = run_bench(model, arguments.options);
    progress.clear();
    if (!result.ok()) return report(result.error(), arguments.json);
    if (arguments.json) {
      runs.push_back(to_json(*result));
      continue;
    }
    if (!std::exchange(has_header, true))
      std::printf("%-20s %7s %8s %8s %8s %8s %7s %7s\n", "model", "threads", "min ms", "median", "p90", "p99",
                  "load ms", "peak MB");
    std::printf("%s %7d %8.2f %8.2f %8.2f %8.2f %7.1f %7.0f\n", padded(model, 20).c_str(), result->threads,
                result->min_ms, result->median_ms, result->p90_ms, result->p99_ms, result->load_ms,
                static_cast<double>(result->peak_rss_bytes) / 1e6);
    if (arguments.options.profile) print_profile(*result);
  }
  if (arguments.json) print({{"runs", std::move(runs)}});
  return 0;
}

}  // namespace

void add_bench_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure latency, load time and memory on random inputs");
  command->footer("Example:\n  tenon bench resnet18.onnx vgg16.onnx --threads 2 --profile");
  command->add_option("models", arguments->models, "Model files")->required();
  command->add_option("--threads", arguments->options.threads, "Threads (0: as many as there are CPUs)")
      ->check(not_negative())
      ->capture_default_str();
  command
      ->add_option("--batch", arguments->options.batch,
                   "Size of an open first dimension (default: 1, or the least that the model takes)")
      ->check(positive());
  command->add_option("--runs", arguments->options.runs, "Timed runs, after a constant warm-up")
      ->check(positive())
      ->capture_default_str();
  command->add_flag("--profile", arguments->options.profile, "Show where the time goes, step by step");
  command->add_flag("--any-cpu", arguments->options.any_cpu, "Open an engine that was tuned on another CPU");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->callback([arguments, &status] { status = run(*arguments); });
}

}  // namespace tenon::cli
