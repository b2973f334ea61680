// Scan: a subgraph run over the slices of tensors, with values carried along.
// https://onnx.ai/onnx/operators/onnx__Scan.html
#include "ops/control_flow/scan.h"
#include "kernels/strided_copy.h"
#include "ops/control_flow/stack.h"
#include "ops/control_flow/types.h"
#include "ops/core/op_def.h"

namespace tenon::ops {

namespace {

// How the inputs and outputs of a Scan fall into carried values and slices.
struct Layout {
  size_t states, scan_inputs, scan_outputs;
};

Result<Layout> layout_of(const Attributes& attributes, size_t inputs, size_t outputs) {
  const int64_t scans = attributes.integer("num_scan_inputs");
  if (scans < 1 || static_cast<size_t>(scans) > inputs || outputs < inputs - static_cast<size_t>(scans))
    return fail(ErrorCode::kInvalidModel, "num_scan_inputs is {} for {} inputs and {} outputs", scans, inputs,
                outputs);
  const size_t states = inputs - static_cast<size_t>(scans);
  return Layout{states, static_cast<size_t>(scans), outputs - states};
}

// Entry i of a list attribute that may be absent: then every entry is 0.
Result<int64_t> entry(const Attributes& attributes, std::string_view name, size_t i, size_t count) {
  if (!attributes.has(name)) return int64_t{0};
  std::vector<int64_t> values = attributes.integers(name);
  if (values.empty()) return int64_t{0};
  if (values.size() != count)
    return fail(ErrorCode::kInvalidModel, "{} has {} entries, not {}", name, values.size(), count);
  return values[i];
}

Status infer(InferContext& context) {
  const Attributes& attributes = context.attributes();
  Layout layout = TENON_TRY(layout_of(attributes, context.input_count(), context.output_count()));
  std::vector<ValueFacts> formals(context.input_count());
  std::optional<SymInt> length;
  for (size_t i = 0; i < formals.size(); ++i) {
    formals[i] = context.input(i);
    if (i < layout.states) continue;
    formals[i].constant.reset();
    formals[i].elements.reset();
    std::optional<SymShape>& shape = formals[i].type.shape;
    if (!shape) continue;
    int64_t axis = TENON_TRY(entry(attributes, "scan_input_axes", i - layout.states, layout.scan_inputs));
    axis = TENON_TRY(normalize_axis(axis, static_cast<int64_t>(shape->size())));
    const SymInt dim = (*shape)[static_cast<size_t>(axis)];
    if (length && length->is_constant() && dim.is_constant() && !(*length == dim))
      return fail(ErrorCode::kInvalidModel, "scan inputs of lengths {} and {}", length->to_string(),
                  dim.to_string());
    if (!length || dim.is_constant()) length = dim;
    shape->erase(shape->begin() + axis);
  }
  LoopFacts facts = TENON_TRY(infer_loop(context, "body", std::move(formals), 0, 0, layout.states));
  if (facts.results.size() < context.output_count())
    return fail(ErrorCode::kInvalidModel, "the body has {} outputs, {} are needed", facts.results.size(),
                context.output_count());
  if (!length) length = context.fresh_symbol();
  for (size_t i = 0; i < context.output_count(); ++i) {
    if (i < layout.states) {
      context.set_output(i, facts.carried[i]);
      continue;
    }
    ValueType type = refreshed(facts.results[i].type, context);
    if (type.shape) {
      int64_t axis = TENON_TRY(entry(attributes, "scan_output_axes", i - layout.states, layout.scan_outputs));
      axis = TENON_TRY(normalize_axis(axis, static_cast<int64_t>(type.shape->size()) + 1));
      type.shape->insert(type.shape->begin() + axis, *length);
    }
    context.set_output(i, type.element, std::move(type.shape));
  }
  return {};
}

// Slices of one scan input, in the order of iterations.
class ScanInput {
 public:
  ScanInput(const Tensor& tensor, int64_t axis, bool reverse)
      : tensor_(tensor), axis_(static_cast<size_t>(axis)), reverse_(reverse), shape_(tensor.shape()) {
    strides_ = kernels::dense_strides(shape_);
    stride_ = strides_[axis_];
    strides_.erase(strides_.begin() + axis);
    shape_.erase(shape_.begin() + axis);
  }
  int64_t length() const { return tensor_.dim(axis_); }
  Tensor slice(int64_t iteration) const {
    const int64_t place = reverse_ ? length() - 1 - iteration : iteration;
    const std::byte* source =
        tensor_.raw() + static_cast<size_t>(place * stride_) * element_size(tensor_.type());
    if (axis_ == 0) return Tensor::view(tensor_.type(), shape_, source, tensor_.owner());
    Tensor result = Tensor::allocate(tensor_.type(), shape_);
    kernels::StridedCopy(tensor_.type(), shape_, strides_, kernels::dense_strides(shape_))
        .run(source, result.mutable_raw());
    return result;
  }

 private:
  const Tensor& tensor_;
  size_t axis_;
  bool reverse_;
  Shape shape_;
  std::vector<int64_t> strides_;
  int64_t stride_ = 0;
};

Result<std::vector<ScanInput>> scan_inputs(KernelContext& context, const Layout& layout) {
  const Attributes& attributes = context.attributes();
  std::vector<ScanInput> inputs;
  for (size_t i = 0; i < layout.scan_inputs; ++i) {
    const Value& value = context.value(layout.states + i);
    if (!value.is_tensor()) return fail(ErrorCode::kInvalidModel, "scan input {} is not a tensor", i);
    int64_t axis = TENON_TRY(entry(attributes, "scan_input_axes", i, layout.scan_inputs));
    axis = TENON_TRY(normalize_axis(axis, value.tensor().rank()));
    const bool reverse = TENON_TRY(entry(attributes, "scan_input_directions", i, layout.scan_inputs)) != 0;
    inputs.emplace_back(value.tensor(), axis, reverse);
    if (inputs[i].length() != inputs[0].length())
      return fail(ErrorCode::kInvalidModel, "scan inputs of lengths {} and {}", inputs[0].length(),
                  inputs[i].length());
  }
  return inputs;
}

Status reference(KernelContext& context) {
  const Attributes& attributes = context.attributes();
  Layout layout = TENON_TRY(layout_of(attributes, context.input_count(), context.output_count()));
  std::vector<ScanInput> inputs = TENON_TRY(scan_inputs(context, layout));
  const Graph& body = *context.node().subgraph("body");
  if (body.outputs.size() != context.output_count() || body.inputs.size() != context.input_count())
    return fail(ErrorCode::kInvalidModel, "the body takes {} and gives {} values, {} and {} are needed",
                body.inputs.size(), body.outputs.size(), context.input_count(), context.output_count());
  std::vector<Value> states;
  for (size_t i = 0; i < layout.states; ++i) states.push_back(context.value(i));
  std::vector<ScanOutput> outputs;
  for (size_t i = 0; i < layout.scan_outputs; ++i)
    outputs.emplace_back(body.value(body.outputs[layout.states + i]).type);

  for (int64_t iteration = 0; iteration < inputs[0].length(); ++iteration) {
    TENON_TRY(context.services().interrupted());
    std::vector<Value> arguments = std::exchange(states, {});
    for (const ScanInput& input : inputs) arguments.push_back(input.slice(iteration));
    std::vector<Value> results =
        TENON_TRY(context.services().run_subgraph(context.node(), "body", std::move(arguments)));
    if (results.size() != body.outputs.size())
      return fail(ErrorCode::kInternal, "a subgraph gave {} values, not {}", results.size(),
                  body.outputs.size());
    for (size_t i = 0; i < layout.scan_outputs; ++i) TENON_TRY(outputs[i].append(results[layout.states + i]));
    results.resize(layout.states);
    states = std::move(results);
  }
  for (size_t i = 0; i < layout.states; ++i) context.set_output(i, std::move(states[i]));
  for (size_t i = 0; i < layout.scan_outputs; ++i) {
    if (!context.wants_output(layout.states + i)) continue;
    const int64_t axis = TENON_TRY(entry(attributes, "scan_output_axes", i, layout.scan_outputs));
    const bool reverse = TENON_TRY(entry(attributes, "scan_output_directions", i, layout.scan_outputs)) != 0;
    TENON_TRY(outputs[i].write(context, layout.states + i, axis, reverse));
  }
  return {};
}

Status emit(EmitContext& context) {
  return context.opset() >= 9 ? emit_unchanged(context) : context.unsupported(9, "a scan without a batch");
}

}  // namespace

constinit const OpDef kScan{.name = "Scan",
                            .infer = infer,
                            .reference = reference,
                            .upgrade = upgrade_scan,
                            .emit = emit,
                            .traits = {.control_flow = true}};

}  // namespace tenon::ops
