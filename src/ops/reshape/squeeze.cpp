// Squeeze and Unsqueeze: dimensions of 1 removed and added.
// https://onnx.ai/onnx/operators/onnx__Squeeze.html, https://onnx.ai/onnx/operators/onnx__Unsqueeze.html.
// Until opset 12 the axes were an attribute.
#include <algorithm>

#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "ops/reshape/reshape.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// The number of axes when only the shape of that input is known.
std::optional<size_t> axis_count(const InferContext& context) {
  const SymShape* axes = context.shape(1);
  if (axes == nullptr) return std::nullopt;
  if (axes->empty()) return 1;
  auto count = (*axes)[0].constant();
  if (axes->size() != 1 || !count || *count < 0 || *count > kTrackedElements) return std::nullopt;
  return static_cast<size_t>(*count);
}

Result<SymShape> squeezed(const SymShape& input, const std::vector<int64_t>& axes) {
  std::vector<int64_t> sorted = TENON_TRY(normalize_axes(axes, static_cast<int64_t>(input.size())));
  SymShape output;
  for (size_t i = 0; i < input.size(); ++i) {
    if (!std::binary_search(sorted.begin(), sorted.end(), static_cast<int64_t>(i))) {
      output.push_back(input[i]);
    } else if (input[i].is_constant() && !input[i].is(1)) {
      return fail(ErrorCode::kInvalidModel, "dimension {} of shape {} is not 1 and cannot be squeezed", i,
                  to_string(input));
    }
  }
  return output;
}

Result<SymShape> unsqueezed(const SymShape& input, const std::vector<int64_t>& axes) {
  auto rank = static_cast<int64_t>(input.size() + axes.size());
  std::vector<int64_t> sorted = TENON_TRY(normalize_axes(axes, rank));
  SymShape output = input;
  for (int64_t axis : sorted) output.insert(output.begin() + axis, 1);
  return output;
}

Status infer_squeeze(InferContext& context) {
  const SymShape* input = context.shape(0);
  DataType element = context.element(0);
  if (input == nullptr) {
    context.set_output(0, element);
    return {};
  }
  if (!context.has_input(1)) {
    // Which dimensions go is known when none is symbolic.
    if (!constant_shape(*input)) {
      context.set_output(0, element);
      return {};
    }
    SymShape output;
    std::copy_if(input->begin(), input->end(), std::back_inserter(output),
                 [](const SymInt& dim) { return !dim.is(1); });
    context.set_output(0, element, std::move(output));
  } else if (auto axes = context.known_ints(1)) {
    context.set_output(0, element, TENON_TRY(squeezed(*input, *axes)));
  } else if (auto count = axis_count(context); count && *count <= input->size()) {
    context.set_output(0, element, context.fresh_shape(input->size() - *count));
  } else {
    context.set_output(0, element);
  }
  pass_elements(context);
  return {};
}

Status infer_unsqueeze(InferContext& context) {
  const SymShape* input = context.shape(0);
  DataType element = context.element(0);
  if (input == nullptr) {
    context.set_output(0, element);
  } else if (auto axes = context.known_ints(1)) {
    context.set_output(0, element, TENON_TRY(unsqueezed(*input, *axes)));
    pass_elements(context);
  } else if (auto count = axis_count(context)) {
    context.set_output(0, element, context.fresh_shape(input->size() + *count));
  } else {
    context.set_output(0, element);
  }
  return {};
}

Status reference_squeeze(KernelContext& context) {
  const Tensor& input = context.input(0);
  Shape shape;
  if (context.has_input(1)) {
    shape = *constant_shape(TENON_TRY(squeezed(to_sym(input.shape()), to_ints(context.input(1)))));
  } else {
    std::copy_if(input.shape().begin(), input.shape().end(), std::back_inserter(shape),
                 [](int64_t dim) { return dim != 1; });
  }
  context.set_output(0, input.reshaped(std::move(shape)));
  return {};
}

Status reference_unsqueeze(KernelContext& context) {
  const Tensor& input = context.input(0);
  SymShape shape = TENON_TRY(unsqueezed(to_sym(input.shape()), to_ints(context.input(1))));
  context.set_output(0, input.reshaped(*constant_shape(shape)));
  return {};
}

template <Op kOp>
Status upgrade(UpgradeContext& context) {
  std::vector<ValueId> inputs = context.inputs();
  Attributes attributes = context.attributes();
  move_axes_to_input(context, inputs, attributes);
  return context.finish(kOp, std::move(inputs), std::move(attributes));
}

Status emit(EmitContext& context) {
  return context.opset() >= 13 ? emit_unchanged(context) : emit_axes_attribute(context, 13);
}

}  // namespace

constinit const OpDef kSqueeze{.name = "Squeeze",
                               .infer = infer_squeeze,
                               .reference = reference_squeeze,
                               .upgrade = upgrade<Op::kSqueeze>,
                               .emit = emit,
                               .traits = {.view = true}};

constinit const OpDef kUnsqueeze{.name = "Unsqueeze",
                                 .infer = infer_unsqueeze,
                                 .reference = reference_unsqueeze,
                                 .upgrade = upgrade<Op::kUnsqueeze>,
                                 .emit = emit,
                                 .traits = {.view = true}};

}  // namespace tenon::ops
