// Engine files: a model compiled and tuned for this machine, that opens in milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tenon/error.h"
#include "tenon/progress.h"
#include "tenon/tensor.h"

namespace tenon {

struct BuildOptions {
  std::string arch;                          ///< As SessionOptions::arch.
  std::vector<std::string> disabled_passes;  ///< As SessionOptions::disabled_passes.
  /// Threads that kernels are timed with; 0: as many as the process has CPUs.
  int threads = 0;
  /// Time the kernels that fit each step in runs of the whole model, and keep the fastest. Without it kernels
  /// are those that a session of the model itself takes, and so are the bits of its answers.
  bool tune = true;
  /// What the model runs on while kernels are timed and the file is compared. Empty: random inputs; a model
  /// that cannot run on them is built without timing and comparing, and a warning says so.
  std::vector<NamedValue> inputs;
  uint64_t seed = 0;          ///< Of random inputs.
  ProgressFunction progress;  ///< Told of everything that takes long.
};

/// A step for which more than one kernel was timed.
struct TunedStep {
  struct Candidate {
    std::string kernel;
    double time_ms = 0;  ///< The median over the timed runs.
  };
  std::string node, op;
  std::string kernel;                 ///< The one that was taken.
  std::vector<Candidate> candidates;  ///< First the one that is taken without timing.
};

struct BuildReport {
  uint64_t file_bytes = 0;
  uint64_t weight_bytes = 0;  ///< Of the model's constants, as in MemoryReport.
  uint64_t packed_bytes = 0;
  uint64_t steps = 0;
  std::string isa;  ///< The instruction set that the engine needs: "avx512".
  std::string cpu;  ///< The CPU that it was tuned for: "AuthenticAMD family 25 model 17".
  std::vector<TunedStep> tuned;
  std::vector<std::string> warnings;
};

/// Compiles a model of any format into an engine file. The file is opened again before it gets its name, and
/// must give the answers of the engine that it was written from, bit by bit. Errors name the model's file:
/// those of Session::open, and kUnsupported when the model cannot be written.
Result<BuildReport> build_engine(const std::string& model, const std::string& output,
                                 const BuildOptions& options = {});

}  // namespace tenon
