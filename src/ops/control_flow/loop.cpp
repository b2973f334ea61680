// Loop: a subgraph run while a condition holds, at most a number of times.
// https://onnx.ai/onnx/operators/onnx__Loop.html
#include <limits>

#include "ops/control_flow/stack.h"
#include "ops/control_flow/types.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// True when the body hands its condition on unchanged, so that the trip count alone ends the loop.
bool keeps_condition(const Graph& body) {
  if (body.inputs.size() < 2 || body.outputs.empty()) return false;
  ValueId id = body.outputs[0];
  for (size_t n = body.nodes.size(); n-- > 0;) {
    const Node& node = body.nodes[n];
    if (!node.outputs.empty() && node.outputs[0] == id && node.op == Op::kIdentity) id = node.inputs[0];
  }
  if (id == body.inputs[1]) return true;
  const Tensor* constant = body.constant(id);
  return constant != nullptr && constant->size() == 1 && *constant->data<uint8_t>() != 0;
}

// The number of iterations, where it is known before the run.
SymInt trip_count(InferContext& context) {
  auto limit = context.elements(0);
  auto condition = context.known_ints(1);
  if (condition && condition->size() == 1 && (*condition)[0] == 0) return 0;
  const bool starts = !context.has_input(1) || condition;
  const Graph* body = context.node().subgraph("body");
  if (!limit || limit->size() != 1 || !starts || body == nullptr || !keeps_condition(*body))
    return context.fresh_symbol();
  return max((*limit)[0], 0);
}

Status infer(InferContext& context) {
  const size_t carried = context.input_count() < 2 ? 0 : context.input_count() - 2;
  std::vector<ValueFacts> formals(2 + carried);
  formals[0].type = ValueType::tensor(DataType::kInt64, SymShape{});
  formals[1].type = ValueType::tensor(DataType::kBool, SymShape{});
  for (size_t i = 0; i < carried; ++i) formals[2 + i] = context.input(2 + i);
  LoopFacts facts = TENON_TRY(infer_loop(context, "body", std::move(formals), 2, 1, carried));
  const SymInt trips = trip_count(context);
  for (size_t i = 0; i < context.output_count(); ++i) {
    if (i < carried) {
      context.set_output(i, facts.carried[i]);
      continue;
    }
    if (i + 1 >= facts.results.size())
      return fail(ErrorCode::kInvalidModel, "the body has {} outputs, too few for {} of the loop",
                  facts.results.size(), context.output_count());
    ValueType type = refreshed(facts.results[i + 1].type, context);
    if (type.shape) type.shape->insert(type.shape->begin(), trips);
    context.set_output(i, type.element, std::move(type.shape));
  }
  return {};
}

Result<bool> truth(const Value& value) {
  if (!value.is_tensor() || value.tensor().size() != 1 || value.tensor().type() != DataType::kBool)
    return fail(ErrorCode::kInvalidModel, "the condition of a loop is not one bool");
  return *value.tensor().data<uint8_t>() != 0;
}

Tensor bool_scalar(bool value) {
  Tensor tensor = Tensor::allocate(DataType::kBool, {});
  *tensor.mutable_data<uint8_t>() = value;
  return tensor;
}

Status reference(KernelContext& context) {
  int64_t limit = std::numeric_limits<int64_t>::max();
  if (context.has_input(0)) {
    if (context.input(0).size() != 1)
      return fail(ErrorCode::kInvalidModel, "the trip count is not one number");
    limit = load_element<int64_t>(context.input(0), 0);
  }
  bool running = !context.has_input(1) || TENON_TRY(truth(context.value(1)));
  std::vector<Value> carried;
  for (size_t i = 2; i < context.input_count(); ++i) {
    if (!context.has_input(i)) return fail(ErrorCode::kInvalidModel, "initial value {} is missing", i - 2);
    carried.push_back(context.value(i));
  }
  const Graph& body = *context.node().subgraph("body");
  const size_t scans = context.output_count() > carried.size() ? context.output_count() - carried.size() : 0;
  if (body.outputs.size() != 1 + carried.size() + scans || body.inputs.size() != 2 + carried.size())
    return fail(ErrorCode::kInvalidModel, "the body takes {} and gives {} values, {} and {} are needed",
                body.inputs.size(), body.outputs.size(), 2 + carried.size(), 1 + carried.size() + scans);
  std::vector<ScanOutput> outputs;
  for (size_t i = 0; i < scans; ++i)
    outputs.emplace_back(body.value(body.outputs[1 + carried.size() + i]).type);

  for (int64_t iteration = 0; iteration < limit && running; ++iteration) {
    TENON_TRY(context.services().interrupted());
    std::vector<Value> inputs = {Tensor::scalar(iteration), bool_scalar(running)};
    for (Value& value : carried) inputs.push_back(std::move(value));
    std::vector<Value> results =
        TENON_TRY(context.services().run_subgraph(context.node(), "body", std::move(inputs)));
    if (results.size() != body.outputs.size())
      return fail(ErrorCode::kInternal, "a subgraph gave {} values, not {}", results.size(),
                  body.outputs.size());
    running = TENON_TRY(truth(results[0]));
    for (size_t i = 0; i < carried.size(); ++i) carried[i] = std::move(results[1 + i]);
    for (size_t i = 0; i < scans; ++i) TENON_TRY(outputs[i].append(results[1 + carried.size() + i]));
  }
  for (size_t i = 0; i < carried.size() && i < context.output_count(); ++i)
    context.set_output(i, std::move(carried[i]));
  for (size_t i = 0; i < scans; ++i)
    if (context.wants_output(carried.size() + i)) TENON_TRY(outputs[i].write(context, carried.size() + i));
  return {};
}

}  // namespace

constinit const OpDef kLoop{
    .name = "Loop", .infer = infer, .reference = reference, .traits = {.control_flow = true}};

}  // namespace tenon::ops
