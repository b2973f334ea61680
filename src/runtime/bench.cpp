#include "tenon/bench.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include "base/progress.h"
#include "base/try.h"
#include "runtime/step_times.h"
#include "tenon/values.h"

namespace tenon {

namespace {

constexpr int kWarmUpRuns = 5;

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

/// getrusage would also count what the process held before exec: the memory of its parent.
uint64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    uint64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

/// What the first dimension that the model leaves open became, or 1.
int64_t batch_of(const Session& session, const std::vector<NamedValue>& given) {
  for (const NamedValue& value : given) {
    const auto input = std::ranges::find(session.inputs(), value.name, &ValueDescription::name);
    if (input->shape && !input->shape->empty() && !input->shape->front().size)
      return value.value.tensor().dim(0);
  }
  return 1;
}

}  // namespace

Result<BenchResult> run_bench(const std::string& model, const BenchOptions& options) {
  if (options.runs < 1) return fail(ErrorCode::kUsage, "the number of runs cannot be {}", options.runs);
  if (options.batch < 0) return fail(ErrorCode::kUsage, "the batch cannot be {}", options.batch);
  auto begin = std::chrono::steady_clock::now();
  SessionOptions session_options;
  session_options.threads = options.threads;
  session_options.any_cpu = options.any_cpu;
  session_options.progress = options.progress;
  auto session = TENON_TRY(Session::open(model, session_options));
  BenchResult result;
  result.load_ms = milliseconds_since(begin);
  RandomOptions random_options;
  random_options.seed = options.seed;
  random_options.batch = options.batch;
  auto inputs = random_inputs(*session, random_options);
  if (!inputs.ok()) return at_file(std::move(inputs.error()), model);
  std::vector<double> times;
  const int runs = kWarmUpRuns + options.runs;
  for (int run = 0; run < runs; ++run) {
    tell(options.progress, "runs", static_cast<size_t>(run), static_cast<size_t>(runs));
    begin = std::chrono::steady_clock::now();
    auto outputs = session->run(*inputs);
    double time = milliseconds_since(begin);
    if (!outputs.ok()) return at_file(std::move(outputs.error()), model);
    if (run == 0) result.first_ms = time;
    if (run >= kWarmUpRuns) times.push_back(time);
  }
  std::sort(times.begin(), times.end());
  result.model = model;
  result.threads = session->threads();
  result.batch = batch_of(*session, *inputs);
  result.min_ms = times.front();
  result.median_ms = quantile(times, 0.5);
  result.p90_ms = quantile(times, 0.9);
  result.p99_ms = quantile(times, 0.99);
  result.peak_rss_bytes = peak_rss_bytes();
  result.memory = session->memory();
  if (options.profile) result.steps = TENON_TRY(profile_steps(*session, *inputs, options.progress));
  return result;
}

}  // namespace tenon
