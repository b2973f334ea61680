// The comparison of two sides from beginning to end: samples, runs, figures, verdict.
#include "tenon/align.h"

#include <algorithm>
#include <limits>

#include "align/cause.h"
#include "align/compare.h"
#include "align/pair.h"
#include "base/guard_memory.h"
#include "base/progress.h"
#include "tensor/element.h"

namespace tenon {

namespace alignment {

namespace {

constexpr double kWithinFloat32 = 3;

bool inputs_vary(const std::vector<Sample>& samples) {
  for (size_t k = 1; k < samples.size(); ++k)
    for (size_t i = 0; i < samples[k].size() && i < samples[0].size(); ++i)
      if (!same_value(samples[k][i].value, samples[0][i].value)) return true;
  return false;
}

/// Runs one side on one sample, with the side's name on errors.
Result<Sample> run_side(Side& side, size_t k, const Sample& inputs, const std::string& given) {
  auto outputs = side.run(k, inputs);
  if (!outputs.ok()) return at_file(std::move(outputs.error()), given);
  return outputs;
}

/// Random numbers do not suit every input: indices and shapes have to be given.
Error with_input_hint(Error error, const Pair& pair) {
  const bool has_integers =
      !pair.samples.empty() && std::ranges::any_of(pair.samples[0], [](const NamedValue& input) {
        return input.value.is_tensor() && is_integer(input.value.tensor().type());
      });
  if (pair.inputs != "random" || !has_integers) return error;
  return with_hint(std::move(error),
                   "the integer inputs were drawn from [0, 10): give real ones with --input or --inputs");
}

class Comparison {
 public:
  Comparison(Pair pair, std::string reference, std::string candidate, const AlignOptions& options)
      : pair_(std::move(pair)), options_(options) {
    report_.rtol = options.rtol;
    report_.atol = options.atol;
    report_.samples = static_cast<int>(pair_.samples.size());
    report_.seed = options.seed;
    report_.inputs = pair_.inputs;
    report_.reference.given = std::move(reference);
    report_.candidate.given = std::move(candidate);
  }

  Result<AlignReport> run() {
    TENON_TRY(prepare());
    for (size_t k = 0; k < pair_.samples.size(); ++k) {
      Status run = run_sample(k);
      if (!run.ok()) return with_input_hint(std::move(run.error()), pair_);
    }
    report_.reference.runner = pair_.reference->runner();
    report_.candidate.runner = pair_.candidate->runner();
    const bool is_float32 = pair_.reference->is_foreign() || report_.reference.runner == kRecordedRunner;
    for (OutputGatherer& gatherer : gatherers_) {
      OutputComparison output = gatherer.finish();
      if (const auto& wide = output.max_abs_vs_float64; wide && is_float32)
        output.within_float32 = wide->second <= kWithinFloat32 * wide->first;
      report_.outputs.push_back(std::move(output));
    }
    judge();
    TENON_TRY(look_inside());
    return std::move(report_);
  }

 private:
  Status prepare() {
    auto for_side = [&](Side& side, const std::string& given) -> Result<std::vector<Sample>> {
      auto samples = samples_for(side, pair_.samples);
      if (samples.ok()) {
        Status prepared = side.prepare(*samples);
        if (!prepared.ok()) return at_file(std::move(prepared.error()), given);
        return samples;
      }
      return at_file(std::move(samples.error()), given);
    };
    auto reference = for_side(*pair_.reference, report_.reference.given);
    if (!reference.ok()) {
      // A plain PyTorch file that the Python found here cannot run: tenon lowers it.
      if (parse_side(report_.reference.given).kind != SideName::Kind::kModel ||
          !pair_.reference->is_foreign())
        return std::move(reference.error());
      report_.warnings.push_back(reference.error().message);
      AlignOptions without_python = options_;
      without_python.python = "none";
      pair_.reference = TENON_TRY(open_side(report_.reference.given, Role::kReference, without_python));
      reference = for_side(*pair_.reference, report_.reference.given);
      if (!reference.ok()) return std::move(reference.error());
    }
    reference_samples_ = std::move(*reference);
    candidate_samples_ = TENON_TRY(for_side(*pair_.candidate, report_.candidate.given));
    // The arbiter is the reference's model in float64, or the candidate's when the reference has none.
    const Side* described = pair_.reference->model() ? pair_.reference.get() : pair_.candidate.get();
    if (options_.float64_samples == 0 || !described->model()) return {};
    auto arbiter = model_side(described->model(), "tenon float64", Runner::kFloat64, options_);
    if (!arbiter.ok()) return {};
    arbiter_ = std::move(*arbiter);
    arbiter_is_reference_ = described == pair_.reference.get();
    return {};
  }

  Status run_sample(size_t k) {
    tell(options_.progress, "samples", k, pair_.samples.size());
    const Sample desired =
        TENON_TRY(run_side(*pair_.reference, k, reference_samples_[k], report_.reference.given));
    const Sample actual =
        TENON_TRY(run_side(*pair_.candidate, k, candidate_samples_[k], report_.candidate.given));
    if (k == 0) plan_outputs(desired, actual);
    auto value = [](const Sample& sample, int index) {
      return index >= 0 && static_cast<size_t>(index) < sample.size()
                 ? &sample[static_cast<size_t>(index)].value
                 : nullptr;
    };
    Sample exact;
    if (arbiter_ && (options_.float64_samples < 0 || static_cast<int>(k) < options_.float64_samples)) {
      auto outputs = arbiter_->run(k, arbiter_is_reference_ ? reference_samples_[k] : candidate_samples_[k]);
      if (outputs.ok()) exact = std::move(*outputs);
    }
    for (size_t i = 0; i < gatherers_.size(); ++i) {
      const Value* d = value(desired, pairs_[i].first);
      const Value* a = value(actual, pairs_[i].second);
      gatherers_[i].add(static_cast<int>(k), a, d);
      const Value* e = exact.empty() ? nullptr : value(exact, exact_index(i, desired, actual, exact));
      if (a && d && e) gatherers_[i].add_float64(*a, *d, *e);
    }
    return {};
  }

  /// Which output of the arbiter belongs to output i.
  int exact_index(size_t i, const Sample& desired, const Sample& actual, const Sample& exact) const {
    const int own = arbiter_is_reference_ ? pairs_[i].first : pairs_[i].second;
    const Sample& outputs = arbiter_is_reference_ ? desired : actual;
    if (own < 0) return -1;
    for (size_t e = 0; e < exact.size(); ++e)
      if (exact[e].name == outputs[static_cast<size_t>(own)].name) return static_cast<int>(e);
    return exact.size() == outputs.size() ? own : -1;
  }

  void plan_outputs(const Sample& desired, const Sample& actual) {
    std::vector<std::string> wanted, given;
    for (const NamedValue& value : desired) wanted.push_back(value.name);
    for (const NamedValue& value : actual) given.push_back(value.name);
    const std::vector<int> match = match_names(wanted, given);
    std::vector<bool> used(given.size(), false);
    const bool wide = pair_.reference->is_wide() || pair_.candidate->is_wide();
    for (size_t i = 0; i < wanted.size(); ++i) {
      pairs_.emplace_back(static_cast<int>(i), match[i]);
      if (match[i] >= 0) used[static_cast<size_t>(match[i])] = true;
      gatherers_.emplace_back(match[i] >= 0 ? given[static_cast<size_t>(match[i])] : wanted[i],
                              Tolerance{options_.rtol, options_.atol}, wide);
    }
    for (size_t j = 0; j < given.size(); ++j) {
      if (used[j]) continue;
      pairs_.emplace_back(-1, static_cast<int>(j));
      gatherers_.emplace_back(given[j], Tolerance{options_.rtol, options_.atol}, wide);
    }
  }

  void judge() {
    using Verdict = AlignReport::Verdict;
    const auto& outputs = report_.outputs;
    const bool equal = std::ranges::all_of(outputs, &OutputComparison::equal);
    const bool varies = std::ranges::any_of(outputs, &OutputComparison::varies);
    const bool asked = inputs_vary(pair_.samples);
    report_.verdict = equal ? Verdict::kEqual : Verdict::kDifferent;
    if (outputs.empty()) {
      report_.verdict = Verdict::kNotComparable;
      report_.warnings.push_back("There are no outputs to compare");
    }
    if (equal && asked && !varies) {
      report_.verdict = Verdict::kNotComparable;
      report_.warnings.push_back(
          "No output varies over the samples: the network is dead, and comparing it proves nothing");
    } else if (asked) {
      for (const OutputComparison& output : outputs)
        if (!output.varies && output.problem.empty())
          report_.warnings.push_back(fmt::format("Output '{}' is the same for all samples", output.name));
    } else if (equal && pair_.samples.size() < 2) {
      report_.warnings.push_back(
          "There is one sample only: whether the outputs depend on the inputs is not known");
    }
    if (report_.reference.runner == kLoweringRunner)
      report_.warnings.push_back(
          "The reference was lowered by tenon, as an export is: this proves the engine, not the export "
          "(record PyTorch's outputs, or use torch:)");
  }

  /// The layers of the worst sample, when they are asked for, and the cause, when the sides differ.
  Status look_inside() {
    const bool differs = report_.verdict == AlignReport::Verdict::kDifferent;
    if (!differs && !options_.per_layer) return {};
    arbiter_.reset();  // weights in float64 once are enough
    tell(options_.progress, "values in float64");
    const auto worst = std::ranges::max_element(report_.outputs, {}, [](const OutputComparison& output) {
      return output.problem.empty() ? output.budget_use : std::numeric_limits<double>::infinity();
    });
    if (!pair_.reference->model() && !pair_.candidate->model()) {
      if (differs) report_.cause = worst_output(worst->name);
      return {};
    }
    Scene scene;
    scene.reference = pair_.reference.get();
    scene.candidate = pair_.candidate.get();
    if (worst != report_.outputs.end()) scene.sample = static_cast<size_t>(worst->worst_sample);
    const size_t k = scene.sample;
    report_.layers_sample = static_cast<int>(k);
    scene.reference_inputs = reference_samples_[k];
    scene.candidate_inputs = candidate_samples_[k];
    scene.desired = TENON_TRY(run_side(*pair_.reference, k, reference_samples_[k], report_.reference.given));
    scene.actual = TENON_TRY(run_side(*pair_.candidate, k, candidate_samples_[k], report_.candidate.given));
    scene.pairs = pairs_;
    auto investigation = Investigation::begin(scene, options_);
    if (!investigation.ok()) {
      report_.warnings.push_back("The models could not be looked into: " + investigation.error().to_string());
      if (differs) report_.cause = worst_output(worst->name);
      return {};
    }
    if (differs) report_.cause = find_cause(*investigation);
    if (options_.per_layer) show_layers(*investigation);
    return {};
  }

  /// What can be said of two sides that tenon cannot look into.
  static AlignCause worst_output(const std::string& name) {
    return {name, "", "", "computation",
            fmt::format("output '{}' is furthest apart; tenon can look into neither side", name)};
  }

  void show_layers(Investigation& investigation) {
    report_.layers = investigation.take_layers();
    if (report_.layers.empty())
      report_.warnings.push_back(
          fmt::format("There are no layers to show: they are those of tenon's engine as candidate, and the "
                      "candidate is run by {}",
                      report_.candidate.runner));
    else if (report_.reference.runner != kRecordedRunner && investigation.other_values().empty())
      report_.warnings.push_back(
          "The two have no names inside in common: layers are compared with float64 only");
  }

  Pair pair_;
  std::unique_ptr<Side> arbiter_;
  const AlignOptions& options_;
  AlignReport report_;
  std::vector<Sample> reference_samples_, candidate_samples_;
  bool arbiter_is_reference_ = false;
  std::vector<std::pair<int, int>> pairs_;  // indices of reference and candidate outputs, -1: none
  std::vector<OutputGatherer> gatherers_;
};

Status check(const AlignOptions& options) {
  if (options.samples < 1)
    return fail(ErrorCode::kUsage, "the number of samples cannot be {}", options.samples);
  if (!(options.rtol >= 0) || !(options.atol >= 0))
    return fail(ErrorCode::kUsage, "tolerances cannot be negative: rtol {}, atol {}", options.rtol,
                options.atol);
  return {};
}

}  // namespace

}  // namespace alignment

std::string AlignReport::Side::how() const {
  return runner == alignment::kRecordedRunner ? "recorded outputs" : "run by " + runner;
}

std::string_view verdict_name(AlignReport::Verdict verdict) {
  switch (verdict) {
    case AlignReport::Verdict::kEqual:
      return "equal";
    case AlignReport::Verdict::kDifferent:
      return "different";
    case AlignReport::Verdict::kNotComparable:
      break;
  }
  return "not comparable";
}

Result<AlignReport> align(const std::string& reference, const std::string& candidate,
                          const AlignOptions& options) {
  auto report = guard_memory(
      [&]() -> Result<AlignReport> {
        TENON_TRY(alignment::check(options));
        auto pair = TENON_TRY(alignment::open_pair(reference, candidate, options));
        return alignment::Comparison(std::move(pair), reference, candidate, options).run();
      },
      "memory ran out during the comparison");
  if (!report.ok() && report.error().code == ErrorCode::kOutOfMemory)
    return at_file(std::move(report.error()), candidate);
  return report;
}

}  // namespace tenon
