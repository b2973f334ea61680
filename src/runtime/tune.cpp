#include "runtime/tune.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "base/progress.h"
#include "ops/core/registry.h"
#include "runtime/session_state.h"

namespace tenon {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRoundsMin = 5;
constexpr int kRoundsMax = 41;
constexpr std::chrono::seconds kTimeEnough{4};
/// What a row must take of the time of the one that the cost model chose, or noise would choose.
constexpr double kBetterShare = 0.97;

/// A kernel row for each step of the main graph, by name.
using Rows = std::vector<std::string_view>;

Rows rows_of(const Engine& engine) {
  Rows rows;
  for (const Step& step : engine.main().steps) rows.push_back(step.row);
  return rows;
}

/// The row that a step has, and those that could take its place with everything around it as it is.
std::vector<std::string_view> candidates(const Step& step) {
  std::vector<std::string_view> names = {step.row};
  const auto rows = ops::op_def(step.region.anchor_node().op).rows;
  const auto taken = std::ranges::find(rows, step.row, &ops::KernelRow::name);
  if (taken == rows.end()) return names;
  for (const ops::KernelRow& row : rows)
    if (row.error <= 1 && row.name != step.row && row.isa == taken->isa &&
        row.layouts.input == taken->layouts.input && row.layouts.output == taken->layouts.output &&
        row.fits(step.region))
      names.push_back(row.name);
  return names;
}

/// Takes given rows in the main graph, and what engines have packed already.
class GivenRows final : public Choice {
 public:
  GivenRows(const Rows& rows, const std::vector<std::shared_ptr<const Engine>>& packed)
      : rows_(rows), packed_(packed) {}

  bool takes(const ops::Region& region, const ops::KernelRow& row) override {
    return next_ < rows_.size() ? row.name == rows_[next_] : Choice::takes(region, row);
  }
  kernels::Packing& packing() override {
    for (const auto& engine : packed_) {
      if (next_ >= rows_.size()) break;
      const Step& step = engine->main().steps[next_];
      if (step.row == rows_[next_]) return reused_ = Reused(step.packed);
    }
    return Choice::packing();
  }
  Status done(const Step& step) override {
    if (next_ < rows_.size() && step.row != rows_[next_])
      return fail(ErrorCode::kInternal, "step {} runs by {} in place of {}", next_, step.row, rows_[next_]);
    ++next_;
    return {};
  }

 private:
  class Reused final : public kernels::Packing {
   public:
    Reused() = default;
    explicit Reused(const std::vector<kernels::PackedFloats>& packed) : packed_(&packed) {}
    kernels::PackedFloats pack(size_t, FunctionRef<void(float*)>) override { return (*packed_)[next_++]; }

   private:
    const std::vector<kernels::PackedFloats>* packed_ = nullptr;
    size_t next_ = 0;
  };

  const Rows& rows_;
  const std::vector<std::shared_ptr<const Engine>>& packed_;
  Reused reused_;
  size_t next_ = 0;
};

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The median time of each step of each engine, all run turn by turn.
Result<std::vector<std::vector<double>>> time_steps(const std::vector<std::shared_ptr<const Engine>>& engines,
                                                    const std::vector<NamedValue>& inputs,
                                                    const BuildOptions& options) {
  SessionOptions session_options;
  session_options.threads = options.threads;
  std::vector<std::shared_ptr<Session>> sessions;
  for (const auto& engine : engines) sessions.push_back(TENON_TRY(session_of(engine, session_options)));
  std::vector<std::vector<std::vector<double>>> times(engines.size());
  const auto begin = Clock::now();
  // The first round warms up.
  for (int round = 0; round <= kRoundsMax; ++round) {
    if (round > kRoundsMin && Clock::now() - begin > kTimeEnough) break;
    tell(options.progress, "rounds of kernels timed", static_cast<size_t>(round), kRoundsMax);
    for (size_t e = 0; e < engines.size(); ++e) {
      RunContext context;
      context.enable_profile();
      TENON_TRY(sessions[e]->run(inputs, {}, &context));
      times[e].resize(context.profile().size());
      for (size_t s = 0; s < times[e].size() && round > 0; ++s)
        times[e][s].push_back(context.profile()[s].time_ms);
    }
  }
  std::vector<std::vector<double>> medians(engines.size());
  for (size_t e = 0; e < engines.size(); ++e)
    for (std::vector<double>& step : times[e]) medians[e].push_back(median(std::move(step)));
  return medians;
}

}  // namespace

Result<Tuned> tune(std::shared_ptr<const Engine> engine, const std::vector<NamedValue>& inputs,
                   const BuildOptions& options) {
  const std::vector<Step>& steps = engine->main().steps;
  std::vector<std::vector<std::string_view>> choices;
  size_t variants = 1;
  for (const Step& step : steps) {
    choices.push_back(candidates(step));
    variants = std::max(variants, choices.back().size());
  }
  if (variants == 1) return Tuned{std::move(engine), {}, {}};
  const auto compile = [&](const Rows& rows, const std::vector<std::shared_ptr<const Engine>>& packed) {
    GivenRows choice(rows, packed);
    return Engine::compile(engine->original_model(), engine->model(), engine->options(), choice);
  };

  // Engine v runs each step by its candidate v, as far as it has so many.
  std::vector<std::shared_ptr<const Engine>> engines = {engine};
  for (size_t v = 1; v < variants; ++v) {
    tell(options.progress, "kernels prepared", v, variants);
    Rows rows = rows_of(*engine);
    for (size_t s = 0; s < rows.size(); ++s)
      if (v < choices[s].size()) rows[s] = choices[s][v];
    engines.push_back(TENON_TRY(compile(rows, engines)));
  }
  const auto times = TENON_TRY(time_steps(engines, inputs, options));

  Tuned tuned;
  tuned.timed.resize(steps.size());
  Rows best = rows_of(*engine);
  for (size_t s = 0; s < steps.size(); ++s) {
    if (choices[s].size() == 1) continue;
    const Node& node = steps[s].region.anchor_node();
    TunedStep& step = tuned.steps.emplace_back();
    step.node = node.name;
    step.op = op_name(node.op);
    for (size_t v = 0; v < choices[s].size(); ++v)
      step.candidates.push_back({std::string(choices[s][v]), times[v][s]});
    for (const auto& candidate : step.candidates)
      tuned.timed[s].push_back({candidate.kernel, candidate.time_ms});
    const auto fastest = std::ranges::min_element(step.candidates, {}, &TunedStep::Candidate::time_ms);
    if (fastest->time_ms < kBetterShare * step.candidates[0].time_ms)
      best[s] = choices[s][static_cast<size_t>(fastest - step.candidates.begin())];
    step.kernel = best[s];
  }
  tuned.engine = TENON_TRY(compile(best, engines));
  return tuned;
}

}  // namespace tenon
