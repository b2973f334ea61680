// Models that tenon runs itself.
#include "align/side.h"
#include "align/widen.h"
#include "base/thread_pool.h"
#include "ops/core/evaluate.h"
#include "runtime/session_state.h"

namespace tenon::alignment {

namespace {

class EngineSide final : public Side {
 public:
  EngineSide(std::shared_ptr<const TypedModel> model, std::shared_ptr<Session> session)
      : session_(std::move(session)) {
    describe_model(std::move(model));
  }
  std::string runner() const override { return "tenon engine"; }
  std::shared_ptr<const Session> session() const override { return session_; }
  Result<Sample> run(size_t, const Sample& inputs) override { return session_->run(inputs); }

 private:
  std::shared_ptr<Session> session_;
};

class ReferenceSide final : public Side {
 public:
  ReferenceSide(std::shared_ptr<const TypedModel> model, std::string runner, int threads)
      : runner_(std::move(runner)), threads_(threads > 0 ? threads : usable_cpu_count()) {
    describe_model(std::move(model));
  }
  Status widen_model() {
    wide_ = TENON_TRY(widen(model()->graph)).graph;
    return {};
  }
  std::string runner() const override { return runner_; }
  bool is_wide() const override { return wide_.has_value(); }
  Result<Sample> run(size_t, const Sample& inputs) override {
    // Checks names, types and shapes as a session does.
    std::vector<const Value*> matched;
    TENON_TRY(match_inputs(this->inputs(), *model(), inputs, matched));
    std::vector<Value> widened_inputs(matched.size());
    for (size_t i = 0; i < matched.size() && wide_; ++i) {
      if (matched[i] == nullptr) continue;
      widened_inputs[i] = widened(*matched[i]);
      matched[i] = &widened_inputs[i];
    }
    ops::EvaluateOptions options;
    options.parallel_for = [&](int64_t count, int64_t grain, const auto& body) {
      tenon::parallel_for(threads_, count, grain, body);
    };
    auto values = TENON_TRY(ops::evaluate(wide_ ? *wide_ : model()->graph, matched, options));
    Sample outputs;
    for (size_t i = 0; i < values.size(); ++i) outputs.push_back({output_names()[i], std::move(values[i])});
    return outputs;
  }

 private:
  std::string runner_;
  int threads_;
  std::optional<Graph> wide_;
};

}  // namespace

Result<std::unique_ptr<Side>> model_side(std::shared_ptr<const TypedModel> model, std::string runner_name,
                                         Runner runner, const AlignOptions& options) {
  if (runner == Runner::kEngine) {
    SessionOptions session_options;
    session_options.threads = options.threads;
    session_options.progress = options.progress;
    auto session = TENON_TRY(make_session(*model, session_options));
    return std::unique_ptr<Side>(std::make_unique<EngineSide>(std::move(model), std::move(session)));
  }
  auto side = std::make_unique<ReferenceSide>(std::move(model), std::move(runner_name), options.threads);
  if (runner == Runner::kFloat64) TENON_TRY(side->widen_model());
  return std::unique_ptr<Side>(std::move(side));
}

Result<std::unique_ptr<Side>> engine_side(const std::string& path, const AlignOptions& options) {
  SessionOptions session_options;
  session_options.threads = options.threads;
  session_options.progress = options.progress;
  auto session = TENON_TRY(Session::open(path, session_options));
  auto model = session->state().engine->original_model();
  return std::unique_ptr<Side>(std::make_unique<EngineSide>(std::move(model), std::move(session)));
}

}  // namespace tenon::alignment
