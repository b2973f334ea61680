// Do two forms of a model give the same answers, and if not, why? Runs both on the same inputs and compares
// every element of every output: |actual - desired| <= atol + rtol * |desired|.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/error.h"
#include "tenon/progress.h"
#include "tenon/tensor.h"

namespace tenon {

/// The inputs (or inputs and outputs) of one run, by name.
using Sample = std::vector<NamedValue>;

/// Reads a .npz whose arrays are named K/NAME, for samples 0, 1, ... without a gap, or all plain NAME for a
/// single sample. Names keep the order of the archive. kMalformed when samples hold different names.
Result<std::vector<Sample>> read_samples(const std::string& path);

struct AlignOptions {
  double rtol = 1e-5;
  double atol = 1e-5;
  int samples = 20;   ///< Random inputs; recorded and given ones bring their own number.
  uint64_t seed = 0;  ///< Of the random inputs: floats uniform in [0, 1), integers in [0, 10).
  int threads = 0;
  /// Given inputs, by the names of either side; what a sample leaves out is drawn at random.
  std::vector<Sample> inputs;
  /// Sizes of inputs with dynamic dimensions, by name; without one a dynamic dimension is 1.
  std::map<std::string, std::vector<int64_t>> input_shapes;
  /// The first samples, so many of them, are also computed in float64, by the reference operators; negative:
  /// all.
  int float64_samples = 3;
  /// Fill `layers`, also when the verdict is "equal".
  bool per_layer = false;
  /// The architecture, for state dicts.
  std::string arch;
  /// The Python that runs torch: and onnxruntime: sides. Empty: the one that $TENON_PYTHON names, that of the
  /// active virtual environment, or python3 of $PATH, whichever first has the package; "none": no Python.
  std::string python;
  /// Told of opening the sides, of the samples, and of looking inside.
  ProgressFunction progress;
};

/// The comparison of one output over all samples.
struct OutputComparison {
  struct Offender {
    int sample = 0;
    int64_t index = 0;  ///< Row-major.
    Shape shape;        ///< Of the output in that sample.
    double actual = 0, desired = 0;
    /// The index along each dimension: "[0,17]".
    std::string place() const;
  };
  struct Point {
    double actual = 0, desired = 0;
    double use = 0;  ///< Of the budget; more than 1 fails.
  };
  /// Where in the output the differences lie.
  struct Map {
    /// A row is a sample (or several), a column a range of elements; else they are ranges of the last two
    /// dimensions, over all samples.
    bool over_samples = false;
    size_t rows = 0, columns = 0;
    int64_t height = 0, width = 0;  ///< What the rows and the columns stand for, in samples and elements.
    std::vector<double> use;        ///< The largest share of the budget in each cell, row by row.
  };
  std::string name;
  std::string problem;  ///< Missing, or another type or shape: nothing was compared. Empty otherwise.
  int64_t elements = 0, mismatched = 0;
  double max_abs = 0, max_rel = 0;
  double budget_use = 0;             ///< max |a - d| / (atol + rtol |d|); at most 1 passes.
  double tightest_atol_at_rtol = 0;  ///< The least atol that passes at the rtol asked for.
  /// So many |a - d| are not above it: rounded up to a tenth of a decade, at most max_abs.
  double percentile_50 = 0, percentile_90 = 0, percentile_99 = 0;
  /// Elements by |a - d|: the first entry counts zeros, entry k those in [10^(k-41), 10^(k-40)), the ends
  /// included what lies beyond.
  std::vector<int64_t> histogram;
  int worst_sample = 0;
  bool varies = false;              ///< Some element of the reference differs between two samples.
  std::vector<Offender> offenders;  ///< The first few mismatches.
  /// Some elements, for a plot: an even share of all, then the worst ones (again).
  std::vector<Point> points;
  Map map;
  /// max |reference - float64| and max |candidate - float64| over the float64 samples.
  std::optional<std::pair<double, double>> max_abs_vs_float64;

  bool equal() const { return problem.empty() && mismatched == 0; }
  /// The candidate is at most 3 times as far from float64 as the reference. Nullopt when not known, and when
  /// tenon's own references ran the reference: they sum in float64, which no float32 candidate comes near.
  std::optional<bool> within_float32;
};

/// One value of the candidate in the worst sample, in the order of execution. See docs/guide/align.md for how
/// each figure is measured.
struct LayerComparison {
  std::string name;  ///< The value.
  std::string node, op, source, module, kernel;
  /// max |candidate - exact|, both fed the same exact inputs of this step; nullopt where the reference itself
  /// runs the step, or it cannot be run apart.
  std::optional<double> isolated_error;
  double isolated_use = 0;  ///< max over elements of isolated error / what rounding of this step explains.
  double error = 0;         ///< max |candidate - exact| in the whole run.
  double floor = 0;         ///< What float32 rounding of all steps up to here explains.
  std::optional<double> difference;  ///< max |candidate - reference|, where the reference has the value.
  double scale = 0;                  ///< max |exact|
  bool departed = false;             ///< Beyond what float32 rounding explains.
};

/// A line of PyTorch source without the folder that packages are installed in, for people.
std::string_view short_source(std::string_view source);

/// Why two forms of a model differ.
struct AlignCause {
  std::string node;    ///< The ONNX node, or the value it makes.
  std::string op;      ///< Empty for inputs and outputs.
  std::string source;  ///< The line of the PyTorch source.
  /// "rounding", "cancellation", "precision", "overflow", "nan", "tie", "weights", "constant",
  /// "training-mode", "preprocessing", "shape", "structure", "kernel", "computation".
  std::string kind;
  std::string message;
};

struct AlignReport {
  enum class Verdict { kEqual, kDifferent, kNotComparable };
  struct Side {
    std::string given;   ///< As the caller named it: "float64:model.onnx".
    std::string runner;  ///< What ran it: "tenon engine", "tenon lowering", "torch 2.13.0", "recorded", ...
    /// "run by torch 2.13.0", or "recorded outputs".
    std::string how() const;
  };
  Verdict verdict = Verdict::kNotComparable;
  double rtol = 0, atol = 0;
  int samples = 0;
  uint64_t seed = 0;
  std::string inputs;  ///< "random", "given" or "recorded".
  Side reference, candidate;
  std::vector<OutputComparison> outputs;
  std::vector<LayerComparison> layers;
  int layers_sample = 0;  ///< The sample that `layers` and `cause` look at.
  std::vector<std::string> warnings;
  /// There whenever the verdict is "different".
  std::optional<AlignCause> cause;
};

/// "equal", "different", "not comparable".
std::string_view verdict_name(AlignReport::Verdict verdict);

/// Each side is a model file (.onnx, .pt2, a state dict with `arch`), recorded:FILE.npz, float64:MODEL,
/// onnxruntime:MODEL.onnx or torch:MODEL.pt2. As candidate a model file runs by the engine. As reference it
/// runs by the plain reference operators, but a .pt2 by PyTorch where a Python has it. Errors: those of
/// opening and running a side, with its name as the file; kNotComparable when the inputs of the two do not
/// fit; kUnavailable when a Python with the package is not found.
Result<AlignReport> align(const std::string& reference, const std::string& candidate,
                          const AlignOptions& options = {});

/// The report as one HTML page without references to other files.
std::string to_html(const AlignReport& report);
/// The same into a file, which is replaced when the new one is complete.
Status write_html(const AlignReport& report, const std::string& path);

}  // namespace tenon
