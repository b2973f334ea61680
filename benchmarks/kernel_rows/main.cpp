// Times kernel rows on the layers of real networks, on each instruction set of this machine, with 1 and 2
// threads: each by the time of its own step, inputs in the layout that they have in the network.
//
//   ./dev bench kernels [--benchmark_filter=REGEX] [further options of Google Benchmark]
//
// GFLOP/s counts the multiplications and additions of the plain algorithm; `of_bound` is the time that the
// machine needs at least over the time taken: the plain algorithm's operations at the measured multiply-add
// peak, or input, weights and output at the measured memory bandwidth, whichever is longer. What stays in the
// caches can beat it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "kernel_rows/layers.h"
#include "kernels/limits/machine.h"
#include "runtime/session_state.h"

namespace tenon::benchmarks {

namespace {

struct Limits {
  double gflops, gbps;
};

Limits limits(Isa isa, int threads) {
  static std::map<std::pair<Isa, int>, Limits> known;
  auto [at, is_new] = known.try_emplace({isa, threads});
  if (is_new) at->second = {kernels::fma_peak_gflops(isa, threads), kernels::read_bandwidth_gbps(threads)};
  return at->second;
}

void run_layer(benchmark::State& state, const Layer& layer, Isa isa, int threads) {
  TypedModel model;
  ops::RowModel content(model, false);
  layer.build(content);
  SessionOptions options;
  options.threads = threads;
  auto session = make_session(std::move(model), options, isa);
  if (!session.ok()) return state.SkipWithError(session.error().to_string().c_str());
  double taken_s = 0;
  for (auto _ : state) {
    RunContext context;
    context.enable_profile();
    auto outputs = (*session)->run(content.given(), {}, &context);
    if (!outputs.ok()) return state.SkipWithError(outputs.error().to_string().c_str());
    const double step_s = context.profile().back().time_ms * 1e-3;
    state.SetIterationTime(step_s);
    taken_s += step_s;
  }
  const double run_s = taken_s / static_cast<double>(state.iterations());
  const Limits limit = limits(isa, threads);
  const double least_s = std::max(layer.operations / limit.gflops, layer.bytes / limit.gbps) * 1e-9;
  state.SetLabel(std::string((*session)->state().engine->main().steps.back().row));
  state.counters["GFLOP/s"] = layer.operations / run_s * 1e-9;
  state.counters["of_bound"] = least_s / run_s;
}

}  // namespace

}  // namespace tenon::benchmarks

int main(int argc, char** argv) {
  using namespace tenon;
  using namespace tenon::benchmarks;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const std::vector<Layer> all = layers();
  for (Isa isa : {Isa::kAvx512, Isa::kAvx2, Isa::kPortable}) {
    if (isa > available_isa()) continue;
    for (int threads : {1, 2}) {
      std::printf("%s, %d thread(s): %.0f GFLOP/s of multiply-adds, %.1f GB/s read\n", isa_name(isa).data(),
                  threads, limits(isa, threads).gflops, limits(isa, threads).gbps);
      for (const Layer& layer : all) {
        const std::string name =
            layer.name + "/" + std::string(isa_name(isa)) + "/" + std::to_string(threads);
        benchmark::RegisterBenchmark(
            name.c_str(),
            [&layer, isa, threads](benchmark::State& state) { run_layer(state, layer, isa, threads); })
            ->Unit(benchmark::kMicrosecond)
            ->UseManualTime();
      }
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
