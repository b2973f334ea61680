// build_engine: from a model file to an engine file.
#include <algorithm>
#include <cstring>

#include "base/guard_memory.h"
#include "base/progress.h"
#include "engine/engine_store.h"
#include "runtime/session_state.h"
#include "runtime/tune.h"
#include "tenon/values.h"

namespace tenon {

namespace {

bool same_bits(const Value& a, const Value& b) {
  if (!a.is_tensor() || !b.is_tensor()) return a.is_tensor() == b.is_tensor();
  const Tensor &x = a.tensor(), &y = b.tensor();
  if (x.type() != y.type() || x.shape() != y.shape()) return false;
  if (x.is_string()) return std::ranges::equal(x.strings(), y.strings());
  return std::memcmp(x.raw(), y.raw(), x.bytes()) == 0;
}

/// Whether the written file opens, and gives the bits of the engine that it was written from on `inputs`,
/// where there are any.
Status check_written(const AtomicFile& file, const std::shared_ptr<const Engine>& engine,
                     const std::optional<std::vector<NamedValue>>& inputs, const BuildOptions& options) {
  tell(options.progress, "comparing the file with what it was made from");
  SessionOptions session_options;
  session_options.threads = options.threads;
  auto read = TENON_TRY(Session::open(file.temporary_path(), session_options));
  if (!inputs) return {};
  auto built = TENON_TRY(session_of(engine, session_options));
  RunContext first, second;
  const auto expected = TENON_TRY(built->run(*inputs, {}, &first));
  const auto actual = TENON_TRY(read->run(*inputs, {}, &second));
  for (size_t i = 0; i < expected.size(); ++i)
    if (i >= actual.size() || actual[i].name != expected[i].name ||
        !same_bits(actual[i].value, expected[i].value))
      return fail(ErrorCode::kInternal, "output '{}' of the engine file differs from the engine's",
                  expected[i].name);
  return {};
}

/// What the model can run on: what was given, or random inputs. Nothing, with a warning, when it cannot run
/// on those.
Result<std::optional<std::vector<NamedValue>>> inputs_for(const Session& session, const BuildOptions& options,
                                                          std::vector<std::string>& warnings) {
  if (!options.inputs.empty()) return std::optional(options.inputs);
  RandomOptions random;
  random.seed = options.seed;
  auto inputs = random_inputs(session, random);
  Error problem;
  if (inputs.ok()) {
    const auto outputs = session.run(*inputs);
    if (outputs.ok()) return std::optional(std::move(*inputs));
    problem = outputs.error();
  } else {
    problem = inputs.error();
  }
  if (problem.code == ErrorCode::kOutOfMemory) return problem;
  warnings.push_back(
      "the engine was neither tuned nor compared with the model, which does not run on random inputs (" +
      problem.message + "): give it inputs of its kind");
  return std::optional<std::vector<NamedValue>>();
}

Result<BuildReport> build(const std::string& path, const std::string& output, const BuildOptions& options) {
  SessionOptions session_options;
  session_options.arch = options.arch;
  session_options.disabled_passes = options.disabled_passes;
  session_options.threads = options.threads;
  session_options.progress = options.progress;
  auto session = TENON_TRY(Session::open(path, session_options));
  BuildReport report;
  report.warnings = session->warnings();
  const auto inputs = TENON_TRY(inputs_for(*session, options, report.warnings));
  Tuned tuned{session->state().engine, {}, {}};
  session.reset();
  if (options.tune && inputs) tuned = TENON_TRY(tune(std::move(tuned.engine), *inputs, options));
  const Engine& engine = *tuned.engine;

  AtomicFile file = TENON_TRY(store_engine(engine, output, tuned.timed, options.progress));
  TENON_TRY(check_written(file, tuned.engine, inputs, options));
  report.file_bytes = file.position();
  TENON_TRY(file.commit());
  report.weight_bytes = engine.weight_bytes();
  report.packed_bytes = engine.packed_bytes();
  report.steps = engine.main().steps.size();
  report.isa = isa_name(engine.options().isa);
  report.cpu = cpu_name();
  report.tuned = std::move(tuned.steps);
  return report;
}

}  // namespace

Result<BuildReport> build_engine(const std::string& model, const std::string& output,
                                 const BuildOptions& options) {
  auto report = guard_memory([&] { return build(model, output, options); },
                             "memory ran out while the engine was built");
  if (!report.ok()) return at_file(std::move(report.error()), model);
  return report;
}

}  // namespace tenon
