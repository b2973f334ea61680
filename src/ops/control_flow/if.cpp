// If: one of two subgraphs. https://onnx.ai/onnx/operators/onnx__If.html
#include "ops/control_flow/types.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  auto then_facts = context.infer_subgraph("then_branch", {});
  auto else_facts = context.infer_subgraph("else_branch", {});
  // A branch that cannot run for these shapes is one that the condition rules out.
  if (!then_facts.ok() && !else_facts.ok()) return std::move(then_facts.error());
  auto condition = context.known_ints(0);
  const bool known = condition && condition->size() == 1;
  const bool only_then = !else_facts.ok() || (known && then_facts.ok() && (*condition)[0] != 0);
  const bool only_else = !then_facts.ok() || (known && else_facts.ok() && (*condition)[0] == 0);
  for (size_t i = 0; i < context.output_count(); ++i) {
    const bool missing =
        (then_facts.ok() && i >= then_facts->size()) || (else_facts.ok() && i >= else_facts->size());
    if (missing) return fail(ErrorCode::kInvalidModel, "a branch has no output {}", i);
    if (only_then || only_else) {
      context.outputs()[i] = only_then ? (*then_facts)[i] : (*else_facts)[i];
      continue;
    }
    const ValueFacts& a = (*then_facts)[i];
    const ValueFacts& b = (*else_facts)[i];
    context.set_output(i, either_type(a.type, b.type, context));
    if (a.elements && a.elements == b.elements) context.set_elements(i, *a.elements);
  }
  return {};
}

Status reference(KernelContext& context) {
  if (context.input(0).size() != 1)
    return fail(ErrorCode::kInvalidModel, "the condition has {} elements", context.input(0).size());
  const bool condition = *context.input(0).data<uint8_t>() != 0;
  std::vector<Value> results = TENON_TRY(
      context.services().run_subgraph(context.node(), condition ? "then_branch" : "else_branch", {}));
  if (results.size() < context.output_count())
    return fail(ErrorCode::kInvalidModel, "a branch has {} outputs, not {}", results.size(),
                context.output_count());
  for (size_t i = 0; i < context.output_count(); ++i) context.set_output(i, std::move(results[i]));
  return {};
}

}  // namespace

constinit const OpDef kIf{
    .name = "If", .infer = infer, .reference = reference, .traits = {.control_flow = true}};

}  // namespace tenon::ops
