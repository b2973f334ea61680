#include "passes/pipeline.h"

#include <algorithm>
#include <memory>

#include "ir/verifier.h"
#include "ops/core/builder.h"

namespace tenon::passes {

namespace {

constexpr int kMaxRounds = 4;
constexpr int kMaxDepth = 64;

constexpr Pass kPipeline[] = {
    {"import-constants", "copies captured constants into bodies of control flow", import_constants},
    {"move-channels-first", "MatMul over channels last as 1x1 convolutions", move_channels_first, true},
    {"fold-constants", "computes what depends on constants alone", fold_constants},
    {"remove-identities", "removes Identity, Dropout and their like", remove_identities},
    {"simplify-algebra", "x * 1, x + 0, Transpose of Transpose, Reshape of Reshape", simplify_algebra},
    {"share-subexpressions", "computes equal expressions once", share_common_subexpressions},
    {"remove-dead-code", "removes what no output needs", remove_dead_code},
};

/// Runs a pass on a graph and on the bodies inside it. Bodies are copied when they change, since other models
/// may share them.
Result<size_t> run_on(const Pass& pass, Graph& graph, const PassContext& context, int depth) {
  if (depth > kMaxDepth)
    return fail(ErrorCode::kLimit, "control flow is nested more than {} deep", kMaxDepth);
  GraphPatch patch = TENON_TRY(pass.run(graph, context));
  size_t changes = patch.changes();
  if (changes > 0) TENON_TRY(apply(graph, std::move(patch)));
  for (Node& node : graph.nodes) {
    for (auto& [attribute, body] : node.subgraphs) {
      auto copy = std::make_shared<Graph>(*body);
      size_t inside = TENON_TRY(run_on(pass, *copy, PassContext{&graph}, depth + 1));
      if (inside > 0) body = std::move(copy);
      changes += inside;
    }
  }
  return changes;
}

Result<bool> is_disabled(const Pass& pass, const Options& options) {
  for (const std::string& name : options.disabled) {
    if (name == "all" || name == pass.name) return true;
    bool known = std::any_of(std::begin(kPipeline), std::end(kPipeline),
                             [&](const Pass& p) { return p.name == name; });
    if (!known)
      return with_hint(fail(ErrorCode::kUsage, "there is no pass named '{}'", name),
                       "tenon inspect --passes lists them");
  }
  return false;
}

/// Checks what a pass must keep: outputs exist, under their names, and shapes can be inferred as before.
Status check(const Pass& pass, Graph& graph, const std::vector<std::string>& output_names) {
  Status sound = verify(graph);
  if (sound.ok()) sound = ops::infer_graph(graph);
  if (!sound.ok()) {
    Error error = std::move(sound.error());
    error.message = fmt::format("after pass '{}': {}", pass.name, error.message);
    return error;
  }
  for (size_t i = 0; i < output_names.size(); ++i)
    if (graph.value(graph.outputs[i]).name != output_names[i])
      return fail(ErrorCode::kInternal, "pass '{}' lost output '{}'", pass.name, output_names[i]);
  return {};
}

}  // namespace

std::span<const Pass> pipeline() {
  return kPipeline;
}

Status run_pipeline(TypedModel& model, const Options& options) {
  std::vector<std::string> output_names;
  for (ValueId id : model.graph.outputs) output_names.push_back(model.graph.value(id).name);
  for (int round = 0; round < kMaxRounds; ++round) {
    size_t changes = 0;
    for (const Pass& pass : kPipeline) {
      if (TENON_TRY(is_disabled(pass, options)) || (pass.for_engine && !options.for_engine)) continue;
      if (options.progress) options.progress(fmt::format("pass {}", pass.name), 0, 0);
      size_t changed = TENON_TRY(run_on(pass, model.graph, PassContext{}, 0));
      if (changed == 0) continue;
      changes += changed;
      TENON_TRY(check(pass, model.graph, output_names));
      if (options.trace) options.trace(pass, model.graph, changed);
    }
    if (changes == 0) break;
  }
  return {};
}

}  // namespace tenon::passes
