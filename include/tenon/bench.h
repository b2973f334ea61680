// Measuring a model: how long opening and running take, and how much memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tenon/error.h"
#include "tenon/session.h"

namespace tenon {

struct BenchOptions {
  int threads = 0;    ///< 0: as many as the process has CPUs.
  int64_t batch = 1;  ///< What an open first dimension of an input becomes.
  int runs = 50;      ///< Timed runs; a constant warm-up comes before.
  uint64_t seed = 0;  ///< Of the random inputs.
};

struct BenchResult {
  std::string model;
  int threads = 0;
  int64_t batch = 1;
  double min_ms = 0, median_ms = 0, p90_ms = 0, p99_ms = 0;
  double load_ms = 0;           ///< Opening the session, from the file to ready.
  uint64_t peak_rss_bytes = 0;  ///< Of the process so far, at the end.
  MemoryReport memory;
};

/// Opens the model and runs it on random inputs.
Result<BenchResult> run_bench(const std::string& model, const BenchOptions& options);

}  // namespace tenon
