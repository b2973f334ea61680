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
  std::vector<int> threads = {0};
  std::vector<int64_t> batches = {0};
  BenchOptions options;
  bool json = false;
};

/// Items of the batch that are done in a second.
double items_per_s(const BenchResult& result) {
  return result.median_ms > 0 ? static_cast<double>(result.batch) * 1000 / result.median_ms : 0;
}

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
                                   {"items_per_s", items_per_s(result)},
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

void print_line(const BenchResult& result, bool with_header) {
  if (with_header)
    std::printf("%-14s %7s %5s %8s %8s %8s %9s %7s %6s\n", "model", "threads", "batch", "min ms", "median",
                "p99", "items/s", "load ms", "MB");
  std::printf("%s %7d %5lld %8.2f %8.2f %8.2f %9.1f %7.1f %6.0f\n", padded(result.model, 14).c_str(),
              result.threads, static_cast<long long>(result.batch), result.min_ms, result.median_ms,
              result.p99_ms, items_per_s(result), result.load_ms,
              static_cast<double>(result.peak_rss_bytes) / 1e6);
}

int run(BenchArguments& arguments) {
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  bool has_header = false;
  BenchOptions& options = arguments.options;
  for (const std::string& model : arguments.models) {
    for (int threads : arguments.threads) {
      for (int64_t batch : arguments.batches) {
        Progress progress;
        options.progress = progress.function();
        options.threads = threads;
        options.batch = batch;
        const auto result = run_bench(model, options);
        progress.clear();
        if (!result.ok()) return report(result.error(), arguments.json);
        if (arguments.json) {
          runs.push_back(to_json(*result));
          continue;
        }
        print_line(*result, !std::exchange(has_header, true));
        std::fflush(stdout);
        if (options.profile) print_profile(*result);
      }
    }
  }
  if (arguments.json) print({{"runs", std::move(runs)}});
  return 0;
}

}  // namespace

void add_bench_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure latency, load time and memory on random inputs");
  command->footer(
      "Examples:\n  tenon bench resnet18.onnx vgg16.onnx --threads 2 --profile\n"
      "  tenon bench resnet18.onnx --threads 1,2 --batch 1,4,16,64 --runs 10");
  command->add_option("models", arguments->models, "Model files")->required();
  command
      ->add_option("--threads", arguments->threads, "Threads (0: as many as there are CPUs), or several such")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(not_negative())
      ->default_str("0");
  command
      ->add_option(
          "--batch", arguments->batches,
          "Size of an open first dimension, or several (default: 1, or the least that the model takes)")
      ->delimiter(',')
      ->allow_extra_args(false)
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
