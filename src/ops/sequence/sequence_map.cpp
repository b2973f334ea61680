// SequenceMap: a subgraph applied to each item of sequences.
// https://onnx.ai/onnx/operators/onnx__SequenceMap.html
#include "ops/control_flow/types.h"
#include "ops/core/op_def.h"
#include "ops/sequence/sequence.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  std::vector<ValueFacts> formals(context.input_count());
  for (size_t i = 0; i < formals.size(); ++i) {
    const ValueType& type = context.type(i);
    if (type.kind != ValueType::Kind::kSequence)
      formals[i] = context.input(i);
    else if (type.inner)
      formals[i].type = refreshed(*type.inner, context);
  }
  std::vector<ValueFacts> results = TENON_TRY(context.infer_subgraph("body", std::move(formals)));
  if (results.size() < context.output_count())
    return fail(ErrorCode::kInvalidModel, "the body has {} outputs, {} are needed", results.size(),
                context.output_count());
  for (size_t i = 0; i < context.output_count(); ++i)
    context.set_output(i, ValueType::sequence(refreshed(results[i].type, context)));
  return {};
}

Status reference(KernelContext& context) {
  const size_t count = TENON_TRY(sequence_input(context, 0))->items.size();
  for (size_t i = 1; i < context.input_count(); ++i)
    if (context.value(i).is_sequence() && context.value(i).sequence().items.size() != count)
      return fail(ErrorCode::kInvalidModel, "sequences of lengths {} and {}", count,
                  context.value(i).sequence().items.size());
  const Graph& body = *context.node().subgraph("body");
  if (body.outputs.size() != context.output_count() || body.inputs.size() != context.input_count())
    return fail(ErrorCode::kInvalidModel, "the body takes {} and gives {} values, {} and {} are needed",
                body.inputs.size(), body.outputs.size(), context.input_count(), context.output_count());
  std::vector<Sequence> outputs(context.output_count());
  for (size_t i = 0; i < outputs.size(); ++i)
    outputs[i].element_type = body.value(body.outputs[i]).type.element;
  for (size_t k = 0; k < count; ++k) {
    TENON_TRY(context.services().interrupted());
    std::vector<Value> arguments;
    for (size_t i = 0; i < context.input_count(); ++i)
      arguments.push_back(context.value(i).is_sequence() ? context.value(i).sequence().items[k]
                                                         : context.value(i));
    std::vector<Value> results =
        TENON_TRY(context.services().run_subgraph(context.node(), "body", std::move(arguments)));
    if (results.size() != outputs.size())
      return fail(ErrorCode::kInternal, "a subgraph gave {} values, not {}", results.size(), outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (results[i].is_tensor()) outputs[i].element_type = results[i].tensor().type();
      outputs[i].items.push_back(std::move(results[i]));
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) context.set_output(i, std::move(outputs[i]));
  return {};
}

}  // namespace

constinit const OpDef kSequenceMap{
    .name = "SequenceMap", .infer = infer, .reference = reference, .traits = {.control_flow = true}};

}  // namespace tenon::ops
