// Do two forms of a model give the same answers, and if not, why? Runs both on the same inputs and compares
// every element of every output: |actual - desired| <= atol + rtol * |desired|.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tenon/error.h"
#include "tenon/tensor.h"

namespace tenon {

struct AlignOptions {
  double rtol = 1e-5;
  double atol = 1e-5;
  int samples = 20;   ///< Random inputs; recorded inputs and given ones bring their own number.
  uint64_t seed = 0;  ///< Of the random inputs, uniform in [0, 1); integers and booleans are 0 or 1.
  int threads = 0;
  /// One sample of given inputs instead of random ones.
  std::vector<NamedValue> inputs;
  /// Sizes of inputs with dynamic dimensions, by name; without one a dynamic dimension is 1.
  std::map<std::string, std::vector<int64_t>> input_shapes;
  /// Samples that are also computed in float64 by the reference operators, the arbiter; 0: none.
  int float64_samples = 1;
  /// Compare every value that both sides have under the same name.
  bool per_layer = false;
  /// The architecture, for state dicts.
  std::string arch;
  /// The Python that runs torch: and onnxruntime: sides; empty: .venv/bin/python, then python3.
  std::string python;
  std::function<void(int done, int total)> progress;
};

/// The comparison of one output over all samples.
struct OutputComparison {
  struct Offender {
    int sample = 0;
    int64_t index = 0;  ///< Row-major.
    double actual = 0, desired = 0;
  };
  std::string name;
  std::string problem;  ///< Missing, or another type or shape: nothing was compared. Empty otherwise.
  int64_t elements = 0, mismatched = 0;
  double max_abs = 0, max_rel = 0;
  double budget_use = 0;                        ///< max |a - d| / (atol + rtol |d|); at most 1 passes.
  double tightest_atol_at_rtol = 0;             ///< The least atol that passes at the rtol asked for.
  double percentile_50 = 0, percentile_99 = 0;  ///< Of |a - d|, to a tenth of a decade.
  int worst_sample = 0;
  bool varies = false;              ///< Some element differs between two samples.
  std::vector<Offender> offenders;  ///< The first few mismatches.
  /// max |reference - float64| and max |candidate - float64| over the float64 samples.
  std::optional<std::pair<double, double>> max_abs_vs_float64;
};

/// One value of both sides, in the order of execution, over the float64 samples.
struct LayerComparison {
  std::string name, node, op, source, kernel;
  double reference_error = 0;  ///< max |reference - float64|
  double candidate_error = 0;  ///< max |candidate - float64|
  double difference = 0;       ///< max |candidate - reference|
  double floor = 0;            ///< What float32 rounding explains here (see docs/guide/align.md).
  double scale = 0;            ///< max |float64|
  bool departed = false;       ///< candidate_error is beyond the floor.
};

struct AlignCause {
  std::string node, op, source;
  std::string kind;  ///< "rounding", "departure", "nan", "structure", "input"
  std::string message;
};

struct AlignReport {
  enum class Verdict { kEqual, kDifferent, kNotComparable };
  Verdict verdict = Verdict::kNotComparable;
  double rtol = 0, atol = 0;
  int samples = 0;
  uint64_t seed = 0;
  std::string reference, candidate;                ///< As given.
  std::string reference_runner, candidate_runner;  ///< What ran them: "tenon lowering", "torch 2.13.0", ...
  std::vector<OutputComparison> outputs;
  std::vector<LayerComparison> layers;  ///< With per_layer.
  std::vector<std::string> warnings;
  std::optional<AlignCause> cause;
};

/// "equal", "different", "not comparable".
std::string_view verdict_name(AlignReport::Verdict verdict);

/// Each side is a model file (.onnx, .pt2, a state dict with `arch`), recorded:FILE.npz, float64:MODEL,
/// onnxruntime:MODEL.onnx or torch:MODEL.pt2. A .pt2 as reference runs by the plain reference operators, a
/// model as candidate by the engine. Errors: kUsage, kNotFound and the like for a side that cannot be opened,
/// kUnavailable when a Python with the package is not found.
Result<AlignReport> align(const std::string& reference, const std::string& candidate,
                          const AlignOptions& options = {});

/// A single HTML file without references to others.
std::string to_html(const AlignReport& report);

}  // namespace tenon
