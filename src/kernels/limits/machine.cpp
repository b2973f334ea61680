#include "kernels/limits/machine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/limits/machine.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenon::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 12;  // more than latency times units of any CPU so far

/// Runs `steps` multiply-adds on each of kChains vectors; returns the operations, and the sums so that they
/// are kept.
HWY_NOINLINE double MultiplyAdd(int steps, float* out) {
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> sums[kChains];
  const auto a = hn::Set(d, 0.999f);
  const auto b = hn::Set(d, 0.001f);
#pragma clang loop unroll(full)
  for (int c = 0; c < kChains; ++c) sums[c] = hn::Set(d, static_cast<float>(c));
  for (int i = 0; i < steps; ++i) {
#pragma clang loop unroll(full)
    for (int c = 0; c < kChains; ++c) sums[c] = hn::MulAdd(sums[c], a, b);
  }
  auto total = hn::Zero(d);
#pragma clang loop unroll(full)
  for (int c = 0; c < kChains; ++c) total = hn::Add(total, sums[c]);
  hn::StoreU(total, d, out);
  return 2.0 * steps * kChains * static_cast<double>(hn::Lanes(d));
}

/// Sums `count` elements, a multiple of 64.
HWY_NOINLINE float Sum(const float* from, size_t count) {
  const hn::ScalableTag<float> d;
  constexpr size_t kLanes = HWY_MAX_BYTES / sizeof(float);
  auto a = hn::Zero(d), b = hn::Zero(d), c = hn::Zero(d), e = hn::Zero(d);
  for (size_t i = 0; i < count; i += 4 * kLanes) {
    a = hn::Add(a, hn::LoadU(d, from + i));
    b = hn::Add(b, hn::LoadU(d, from + i + kLanes));
    c = hn::Add(c, hn::LoadU(d, from + i + 2 * kLanes));
    e = hn::Add(e, hn::LoadU(d, from + i + 3 * kLanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

const MachineLoops kLoops = {&MultiplyAdd, &Sum};

}  // namespace HWY_NAMESPACE
}  // namespace tenon::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenon::kernels {

namespace {

const MachineLoops& loops_for(Isa isa) {
  TENON_RETURN_FOR_ISA(isa, kLoops);
}

constexpr int kTries = 7;

/// The most work a second of several tries, each of `threads` shares doing `work(share)`, which says how much
/// it was.
double best_rate(int threads, FunctionRef<double(int)> work) {
  double best = 0;
  std::vector<double> done(static_cast<size_t>(threads));
  for (int i = 0; i < kTries; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    ThreadPool::instance().run(threads, [&](int share) { done[static_cast<size_t>(share)] = work(share); });
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::max(best, std::accumulate(done.begin(), done.end(), 0.0) / taken.count());
  }
  return best;
}

}  // namespace

double fma_peak_gflops(Isa isa, int threads) {
  constexpr int kSteps = 4'000'000;
  const MachineLoops& loops = loops_for(isa);
  return best_rate(threads,
                   [&](int) {
                     alignas(64) float sums[16];
                     return loops.multiply_add(kSteps, sums);
                   }) *
         1e-9;
}

double read_bandwidth_gbps(int threads, size_t bytes) {
  const size_t floats = bytes / sizeof(float);
  const MachineLoops& loops = loops_for(available_isa());
  const std::vector<float> memory(floats, 1.0f);
  const size_t share = floats / static_cast<size_t>(threads) / 64 * 64;
  // Small arrays are read often enough for the start of a thread not to count.
  constexpr size_t kBytesRead = size_t{256} << 20;
  const size_t rounds = std::max<size_t>(kBytesRead / std::max<size_t>(bytes, 1), 1);
  std::atomic<float> keep;
  return best_rate(threads,
                   [&](int t) {
                     for (size_t round = 0; round < rounds; ++round)
                       keep = loops.sum(memory.data() + static_cast<size_t>(t) * share, share);
                     return static_cast<double>(rounds * share * sizeof(float));
                   }) *
         1e-9;
}

}  // namespace tenon::kernels
#endif
