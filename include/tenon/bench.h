// Measuring a model: how long opening and running take, and how much memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tenon/error.h"
#include "tenon/progress.h"
#include "tenon/session.h"

namespace tenon {

struct BenchOptions {
  int threads = 0;            ///< 0: as many as the process has CPUs.
  int64_t batch = 0;          ///< What open first dimensions become; 0: 1, or the least that the model takes.
  int runs = 50;              ///< Timed runs; a constant warm-up comes before.
  uint64_t seed = 0;          ///< Of the random inputs.
  bool any_cpu = false;       ///< As SessionOptions::any_cpu.
  bool profile = false;       ///< Also measure each step, in runs of their own.
  ProgressFunction progress;  ///< Told of opening the model, and of the runs, outside of what is timed.
};

struct BenchResult {
  struct Step {
    std::string node, op, kernel;
    double time_ms = 0;  ///< The median over some runs.
  };
  std::string model;
  int threads = 0;
  int64_t batch = 1;  ///< The first dimension that the model leaves open, or 1.
  double min_ms = 0, median_ms = 0, p90_ms = 0, p99_ms = 0;
  double load_ms = 0;           ///< Opening the session, from the file to ready.
  double first_ms = 0;          ///< The first run, which warms up.
  uint64_t peak_rss_bytes = 0;  ///< Of the process so far, at the end.
  MemoryReport memory;
  std::vector<Step> steps;  ///< In the order of running, with `profile`.
};

/// Opens the model and runs it on random inputs.
Result<BenchResult> run_bench(const std::string& model, const BenchOptions& options);

}  // namespace tenon
