#include "runtime/step_times.h"

#include <algorithm>
#include <cmath>

#include "base/cpu.h"
#include "base/progress.h"
#include "base/try.h"
#include "kernels/limits/machine.h"
#include "tenon/values.h"

namespace tenon {

namespace {

constexpr int kProfiledRuns = 9;

/// Bytes that the last cache of most machines holds.
constexpr size_t kCachedBytes = size_t{16} << 20;

MachineLimits measure_limits(int threads) {
  MachineLimits limits;
  limits.threads = threads;
  limits.fma_gflops = kernels::fma_peak_gflops(available_isa(), threads);
  limits.memory_gbps = kernels::read_bandwidth_gbps(threads);
  limits.cache_gbps = kernels::read_bandwidth_gbps(threads, kCachedBytes / 2);
  return limits;
}

}  // namespace

double quantile(const std::vector<double>& sorted, double share) {
  auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

Result<std::vector<BenchResult::Step>> profile_steps(const Session& session,
                                                     const std::vector<NamedValue>& inputs,
                                                     const ProgressFunction& progress) {
  std::vector<BenchResult::Step> steps;
  std::vector<std::vector<double>> times;
  for (int run = 0; run < kProfiledRuns; ++run) {
    tell(progress, "profiled runs", static_cast<size_t>(run), kProfiledRuns);
    RunContext context;
    context.enable_profile();
    TENON_TRY(session.run(inputs, {}, &context));
    const std::vector<StepTime>& profile = context.profile();
    if (run == 0) {
      for (const StepTime& step : profile)
        steps.push_back({std::string(step.node), std::string(step.op), std::string(step.kernel), 0});
      times.resize(profile.size());
    }
    for (size_t i = 0; i < times.size() && i < profile.size(); ++i) times[i].push_back(profile[i].time_ms);
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    std::sort(times[i].begin(), times[i].end());
    steps[i].time_ms = quantile(times[i], 0.5);
  }
  return steps;
}

Status time_layers(const Session& session, const ProgressFunction& progress, InspectReport& report) {
  const auto inputs = TENON_TRY(random_inputs(session, {}));
  const auto steps = TENON_TRY(profile_steps(session, inputs, progress));
  tell(progress, "measuring the machine");
  const MachineLimits limits = measure_limits(session.threads());
  report.limits = limits;
  const bool is_cached = report.memory.packed_bytes + report.memory.activation_bytes < kCachedBytes;
  for (size_t i = 0; i < report.layers.size() && i < steps.size(); ++i) {
    LayerCost& layer = report.layers[i];
    layer.time_ms = steps[i].time_ms;
    const double operations = 2 * static_cast<double>(layer.macs) * layer.work;
    const auto weights =
        static_cast<double>(layer.packed_bytes > 0 ? layer.packed_bytes : layer.weight_bytes);
    const double bytes_ms = 1e-6 * (weights / (is_cached ? limits.cache_gbps : limits.memory_gbps) +
                                    static_cast<double>(layer.activation_bytes) / limits.cache_gbps);
    layer.bound_ms = std::max(1e-6 * operations / limits.fma_gflops, bytes_ms);
  }
  return {};
}

}  // namespace tenon
