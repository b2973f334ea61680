#include "align/suite_case.h"

#include <simdjson.h>

#include <cmath>
#include <filesystem>
#include <new>

#include "align/similar.h"
#include "base/mapped_file.h"
#include "base/try.h"
#include "engine/engine_store.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/value_file.h"
#include "ops/core/evaluate.h"
#include "ops/core/upgrade.h"
#include "runtime/session_state.h"
#include "tensor/element.h"

namespace tenon {

namespace {

namespace fs = std::filesystem;

/// What data.json says of a case.
struct CaseFacts {
  SimilarityTolerance tolerance;
  bool is_bernoulli = false;
};

Result<CaseFacts> read_facts(const fs::path& folder, const SuiteOptions& options) {
  CaseFacts facts{{options.rtol, options.atol}};
  const fs::path path = folder / "data.json";
  if (!fs::exists(path)) return facts;
  const std::string text = TENON_TRY(read_small_file(path.string()));
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text).get(object) != simdjson::SUCCESS)
    return at_file(fail(ErrorCode::kMalformed, "is no JSON object"), path.string());
  double number = 0;
  if (object["rtol"].get(number) == simdjson::SUCCESS) facts.tolerance.rtol = number;
  if (object["atol"].get(number) == simdjson::SUCCESS) facts.tolerance.atol = number;
  std::string_view answer;
  if (object["answer"].get(answer) == simdjson::SUCCESS) facts.is_bernoulli = answer == "bernoulli";
  return facts;
}

onnx::ValueKind kind_of(const std::optional<onnx::Type>& type) {
  if (!type) return onnx::ValueKind::kTensor;
  switch (type->kind) {
    case onnx::Type::Kind::kSequence:
      return onnx::ValueKind::kSequence;
    case onnx::Type::Kind::kOptional:
      return onnx::ValueKind::kOptional;
    case onnx::Type::Kind::kMap:
      return onnx::ValueKind::kMap;
    default:
      return onnx::ValueKind::kTensor;
  }
}

/// The files PREFIX_0.pb, PREFIX_1.pb, ... of a data set. `infos` are the graph's inputs or outputs in order.
/// A null entry: there is no such file.
Result<std::vector<std::optional<Value>>> read_values(const fs::path& folder, std::string_view prefix,
                                                      const std::vector<const onnx::ValueInfo*>& infos) {
  std::vector<std::optional<Value>> values;
  for (size_t k = 0; k < infos.size(); ++k) {
    const fs::path path = folder / fmt::format("{}_{}.pb", prefix, k);
    values.emplace_back();
    if (!fs::exists(path)) continue;
    values.back() = TENON_TRY(onnx::read_value(path.string(), kind_of(infos[k]->type))).value;
  }
  return values;
}

/// The standard fixes the probability of each element, not the element: type, shape, 0 or 1, and a number of
/// ones that is within five standard deviations of the expected one.
Status check_bernoulli(const Value& actual, const Value& desired, const Value& probabilities) {
  const Tensor& tensor = actual.tensor();
  const Tensor& expected = desired.tensor();
  if (tensor.type() != expected.type() || tensor.shape() != expected.shape())
    return fail(ErrorCode::kMismatch, "the type or shape is not as it should be");
  double ones = 0;
  double mean = 0;
  double variance = 0;
  const std::vector<double> drawn = to_doubles(tensor);
  const std::vector<double> p = to_doubles(probabilities.tensor());
  for (size_t i = 0; i < drawn.size(); ++i) {
    if (drawn[i] != 0 && drawn[i] != 1) return fail(ErrorCode::kMismatch, "element {} is {}", i, drawn[i]);
    ones += drawn[i];
    mean += p[i];
    variance += p[i] * (1 - p[i]);
  }
  if (std::abs(ones - mean) > 5 * std::sqrt(variance) + 1)
    return fail(ErrorCode::kMismatch, "{} ones were drawn where {} are expected", ones, mean);
  return {};
}

/// A model of the suite, ready to run.
struct CaseModel {
  TypedModel typed;
  std::shared_ptr<const Session> session;      ///< Null when the references run the case.
  std::vector<const onnx::ValueInfo*> inputs;  ///< Graph inputs without an initializer.
  std::vector<const onnx::ValueInfo*> outputs;
};

using Clock = std::chrono::steady_clock;

/// By the engine, as a session runs.
Result<std::vector<Value>> compute_by_engine(const CaseModel& model,
                                             const std::vector<std::optional<Value>>& inputs,
                                             Clock::time_point deadline) {
  std::vector<NamedValue> given;
  for (size_t k = 0; k < inputs.size(); ++k)
    if (inputs[k]) given.push_back({model.inputs[k]->name, *inputs[k]});
  RunContext context;
  context.set_deadline(deadline);
  std::vector<Value> outputs;
  for (NamedValue& output : TENON_TRY(model.session->run(given, {}, &context)))
    outputs.push_back(std::move(output.value));
  return outputs;
}

/// By the reference operators, one after the other.
Result<std::vector<Value>> compute_by_references(const CaseModel& model,
                                                 const std::vector<std::optional<Value>>& inputs,
                                                 const SuiteOptions& options, Clock::time_point deadline) {
  ops::EvaluateOptions evaluate_options;
  evaluate_options.interrupted = [&]() -> Status {
    if (Clock::now() < deadline) return {};
    return fail(ErrorCode::kCancelled, "the case takes longer than {} seconds", options.case_seconds_max);
  };
  const Graph& graph = model.typed.graph;
  std::vector<const Value*> arguments;
  size_t next = 0;
  for (ValueId id : graph.inputs) {
    arguments.push_back(nullptr);
    if (graph.value(id).constant) continue;
    if (next < inputs.size() && inputs[next]) arguments.back() = &*inputs[next];
    ++next;
  }
  return ops::evaluate(graph, arguments, evaluate_options);
}

Status run_data_set(const fs::path& folder, const CaseModel& model, const CaseFacts& facts,
                    const SuiteOptions& options, Clock::time_point deadline) {
  const auto inputs = TENON_TRY(read_values(folder, "input", model.inputs));
  const auto desired = TENON_TRY(read_values(folder, "output", model.outputs));

  const std::vector<Value> outputs =
      TENON_TRY(options.references_only ? compute_by_references(model, inputs, options, deadline)
                                        : compute_by_engine(model, inputs, deadline));
  if (outputs.size() != desired.size())
    return fail(ErrorCode::kMismatch, "there are {} outputs instead of {}", outputs.size(), desired.size());
  for (size_t k = 0; k < outputs.size(); ++k) {
    if (!desired[k]) return fail(ErrorCode::kNotFound, "the data set has no file for output {}", k);
    Status status = facts.is_bernoulli && !inputs.empty() && inputs[0]
                        ? check_bernoulli(outputs[k], *desired[k], *inputs[0])
                        : check_similar(outputs[k], *desired[k], facts.tolerance);
    if (!status.ok())
      return at_node(std::move(status.error()), model.outputs[k]->name, fmt::format("output {}", k));
  }
  return {};
}

Status run_case(const fs::path& folder, const std::string& name, const SuiteOptions& options) {
  const CaseFacts facts = TENON_TRY(read_facts(folder, options));
  const onnx::Model model = TENON_TRY(onnx::read_model((folder / "model.onnx").string()));
  CaseModel prepared;
  prepared.typed = TENON_TRY(ops::upgrade(model));
  for (const onnx::ValueInfo& info : model.graph.inputs) {
    const bool is_initializer = std::ranges::any_of(
        model.graph.initializers, [&](const onnx::TensorData& data) { return data.name == info.name; });
    if (!is_initializer) prepared.inputs.push_back(&info);
  }
  for (const onnx::ValueInfo& info : model.graph.outputs) prepared.outputs.push_back(&info);

  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(options.case_seconds_max));
  if (!options.references_only) {
    SessionOptions session_options;
    session_options.threads = 1;  // cases run beside each other
    session_options.disabled_passes = options.disabled_passes;
    prepared.session = TENON_TRY(make_session(prepared.typed, session_options));
    if (!options.engine_folder.empty()) {
      const std::string path = options.engine_folder + "/" + name + ".engine";
      AtomicFile file = TENON_TRY(store_engine(*prepared.session->state().engine, path));
      TENON_TRY(file.commit());
      session_options.disabled_passes.clear();
      prepared.session = TENON_TRY(Session::open(path, session_options));
    }
  }
  bool found = false;
  for (int n = 0; fs::is_directory(folder / fmt::format("test_data_set_{}", n)); ++n) {
    found = true;
    TENON_TRY(run_data_set(folder / fmt::format("test_data_set_{}", n), prepared, facts, options, deadline));
  }
  if (!found) return fail(ErrorCode::kNotFound, "the folder has no test_data_set_0");
  return {};
}

}  // namespace

SuiteCase run_suite_case(const std::string& folder, const SuiteOptions& options) {
  SuiteCase result;
  const fs::path path(folder);
  result.name = (path.has_filename() ? path : path.parent_path()).filename().string();
  try {
    const Status status = run_case(path, result.name, options);
    if (status.ok()) {
      result.status = SuiteCase::Status::kPassed;
    } else {
      const bool unsupported = status.error().code == ErrorCode::kUnsupported;
      result.status = unsupported ? SuiteCase::Status::kUnsupported : SuiteCase::Status::kFailed;
      result.message = status.error().to_string();
    }
  } catch (const std::bad_alloc&) {
    result.message = "not enough memory";
  } catch (const fs::filesystem_error& error) {
    result.message = error.what();
  }
  return result;
}

}  // namespace tenon
