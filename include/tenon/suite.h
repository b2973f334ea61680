// Runs folders in ONNX's test layout (model.onnx, test_data_set_N/input_K.pb, output_K.pb) and compares what
// comes out with what should.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/error.h"

namespace tenon {

struct SuiteCase {
  enum class Status : uint8_t {
    kPassed,
    kFailed,
    kUnsupported,  ///< The model is valid and needs something that tenon does not have.
  };
  std::string name;  ///< Of the folder: "test_relu".
  Status status = Status::kFailed;
  std::string message;  ///< Why it did not pass; empty when it did.
};

/// "passed", "failed", "unsupported".
std::string_view suite_status_name(SuiteCase::Status status);

struct SuiteReport {
  std::vector<SuiteCase> cases;  ///< In the order of their folders' paths.
  int64_t count(SuiteCase::Status status) const;
};

struct SuiteOptions {
  /// Tolerance of cases whose data.json does not give one: |actual - desired| <= atol + rtol * |desired|.
  double rtol = 1e-3;
  double atol = 1e-7;
  int threads = 0;  ///< Cases that run at the same time; 0: one for each processor.
  /// By the plain reference operators in place of the engine.
  bool references_only = false;
  /// Names of passes that the engine leaves out, as in SessionOptions.
  std::vector<std::string> disabled_passes;
  /// Write each model to an engine file in this folder, and run that. Empty: run the models themselves.
  std::string engine_folder;
  double case_seconds_max = 300;  ///< A case that takes longer fails.
  /// Called after each case, never from two threads at once.
  std::function<void(const SuiteCase& result, size_t done, size_t total)> progress;
};

/// Runs every case at or below `folders`. A case is a folder that holds model.onnx; its data.json may give
/// "rtol" and "atol", and "answer": "bernoulli" where the standard fixes only the distribution of the output.
/// Fails with kNotFound when a folder does not exist or no case is found.
Result<SuiteReport> run_suite(const std::vector<std::string>& folders, const SuiteOptions& options = {});

}  // namespace tenon
