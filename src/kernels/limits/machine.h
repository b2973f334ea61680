// What this machine can do at most: the measure that kernels are held against.
#pragma once

#include <cstddef>

#include "base/cpu.h"

namespace tenon::kernels {

/// The loops of one instruction set.
struct MachineLoops {
  /// Runs so many rounds of multiply-adds and returns how many operations they were.
  double (*multiply_add)(int rounds, float* sums);
  /// The sum of `count` elements, a multiple of 64.
  float (*sum)(const float* from, size_t count);
};

/// Multiply-adds of float32 in registers, counted as two operations each: 1e9 operations a second, the best
/// of several tries.
double fma_peak_gflops(Isa isa, int threads);

/// Reading an array of so many bytes again and again, shared among the threads: 1e9 bytes a second, the best
/// of several tries. By default one far larger than the caches. Throws std::bad_alloc.
double read_bandwidth_gbps(int threads, size_t bytes = size_t{256} << 20);

}  // namespace tenon::kernels
