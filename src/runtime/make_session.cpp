// From a typed model to a session: passes, compilation, descriptions.
#include <algorithm>
#include <new>

#include "base/guard_memory.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "ops/core/registry.h"
#include "passes/pipeline.h"
#include "runtime/input_sizes.h"
#include "runtime/session_state.h"

namespace tenon {

namespace {

/// Every preference means some kernel.
Status check_preferred(const std::vector<std::string>& preferred) {
  for (const std::string& name : preferred) {
    if (name.empty() || !ops::has_row_like(name))
      return with_hint(fail(ErrorCode::kUsage, "there is no kernel whose name begins with '{}'", name),
                       "tenon inspect --layers --why shows those that a model could use");
  }
  return {};
}

Result<std::shared_ptr<Session>> build_session(TypedModel model, const SessionOptions& options, Isa isa) {
  TENON_TRY(check_preferred(options.preferred_kernels));
  auto original = std::make_shared<const TypedModel>(std::move(model));
  TypedModel optimised = *original;
  if (!options.references_only) {
    passes::Options pass_options;
    pass_options.disabled = options.disabled_passes;
    pass_options.for_engine = true;
    pass_options.progress = options.progress;
    TENON_TRY(passes::run_pipeline(optimised, pass_options));
  }
  EngineOptions engine_options;
  engine_options.isa = isa;
  engine_options.references_only = options.references_only;
  engine_options.preferred_rows = options.preferred_kernels;
  return session_of(
      TENON_TRY(Engine::compile(std::move(original), std::move(optimised), engine_options, options.progress)),
      options);
}

}  // namespace

Status check_threads(const SessionOptions& options) {
  if (options.threads < 0)
    return fail(ErrorCode::kUsage, "the number of threads cannot be {}", options.threads);
  return {};
}

Result<std::shared_ptr<Session>> session_of(std::shared_ptr<const Engine> engine,
                                            const SessionOptions& options) {
  const TypedModel& original = engine->original();
  auto state = std::make_unique<Session::State>();
  state->engine = engine;
  state->threads =
      options.threads > 0 ? std::min(options.threads, ThreadPool::kMaxThreads) : usable_cpu_count();
  state->inputs = describe_inputs(original);
  for (ValueId id : original.graph.outputs) {
    state->outputs.push_back(describe(original.graph, id));
    state->output_names.push_back(state->outputs.back().name);
  }
  state->default_outputs = TENON_TRY(plan_outputs(*state->engine, state->output_names));
  return std::make_shared<Session>(std::move(state));
}

Result<std::shared_ptr<Session>> make_session(TypedModel model, const SessionOptions& options, Isa isa) {
  TENON_TRY(check_threads(options));
  return guard_memory([&] { return build_session(std::move(model), options, isa); },
                      "memory ran out while the model was made ready to run");
}

}  // namespace tenon
