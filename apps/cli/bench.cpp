// tenon bench MODEL...: latency, load time and memory.
#include "tenon/bench.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "commands.h"

namespace tenon::cli {

namespace {

struct BenchArguments {
  std::vector<std::string> models;
  BenchOptions options;
  bool json = false;
};

nlohmann::ordered_json to_json(const BenchResult& result) {
  return {{"model", result.model},
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
          {"peak_rss_bytes", result.peak_rss_bytes},
          {"weight_bytes", result.memory.weight_bytes},
          {"packed_bytes", result.memory.packed_bytes},
          {"activation_bytes", result.memory.activation_bytes}};
}

int run(const BenchArguments& arguments) {
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  if (!arguments.json)
    std::printf("%-32s %7s %9s %9s %9s %9s %9s %9s\n", "model", "threads", "min ms", "median", "p90", "p99",
                "load ms", "peak MB");
  for (const std::string& model : arguments.models) {
    const auto result = run_bench(model, arguments.options);
    if (!result.ok()) return report(result.error(), arguments.json);
    if (arguments.json)
      runs.push_back(to_json(*result));
    else
      std::printf("%-32s %7d %9.3f %9.3f %9.3f %9.3f %9.1f %9.1f\n", model.c_str(), result->threads,
                  result->min_ms, result->median_ms, result->p90_ms, result->p99_ms, result->load_ms,
                  static_cast<double>(result->peak_rss_bytes) / 1e6);
  }
  if (arguments.json) {
    const nlohmann::ordered_json object = {{"runs", std::move(runs)}};
    std::printf("%s\n", object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  }
  return 0;
}

}  // namespace

void add_bench_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure latency, load time and memory on random inputs");
  command->add_option("models", arguments->models, "Model files")->required();
  command->add_option("--threads", arguments->options.threads, "Threads (0: as many as there are CPUs)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--batch", arguments->options.batch, "Size of an open first dimension")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--runs", arguments->options.runs, "Timed runs, after a constant warm-up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->callback([arguments, &status] { status = run(*arguments); });
}

}  // namespace tenon::cli
