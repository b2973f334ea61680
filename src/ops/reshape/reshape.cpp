// Reshape: the same elements under another shape. https://onnx.ai/onnx/operators/onnx__Reshape.html
#include "ops/reshape/reshape.h"

#include <algorithm>

#include "ops/channels/kernels.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

Result<SymShape> reshaped_shape(const SymShape& input, const std::vector<SymInt>& wanted, bool allow_zero) {
  SymShape output;
  std::optional<size_t> inferred;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const SymInt& dim = wanted[i];
    if (dim.is(-1)) {
      if (inferred) return fail(ErrorCode::kInvalidModel, "the shape to reshape to has two -1");
      inferred = i;
      output.push_back(1);
    } else if (dim.is(0) && !allow_zero) {
      if (i >= input.size())
        return fail(ErrorCode::kInvalidModel, "dimension {} is to be copied from an input of rank {}", i,
                    input.size());
      output.push_back(input[i]);
    } else if (auto value = dim.constant(); value && *value < 0) {
      return fail(ErrorCode::kInvalidModel, "the shape to reshape to has the dimension {}", *value);
    } else {
      output.push_back(dim);
    }
  }
  // Dimensions found on both sides cancel, which keeps the quotient a polynomial where division would not.
  SymShape numerator = input;
  SymInt denominator = 1;
  for (const SymInt& dim : output) {
    auto same = std::find(numerator.begin(), numerator.end(), dim);
    if (same != numerator.end() && !dim.is(0))
      numerator.erase(same);
    else
      denominator *= dim;
  }
  SymInt total = element_count(numerator);
  auto mismatch = [&] {
    return fail(ErrorCode::kInvalidModel, "{} elements of shape {} do not fit the shape {}",
                element_count(input).to_string(), to_string(input), to_string(SymShape(wanted)));
  };
  if (!inferred) {
    if (total.is_constant() && denominator.is_constant() && !(total == denominator)) return mismatch();
    return output;
  }
  if (auto exact = exact_div(total, denominator)) {
    output[*inferred] = *exact;
  } else if (total.is_constant() && denominator.is_constant()) {
    return mismatch();
  } else {
    output[*inferred] = floor_div(total, denominator);
  }
  return output;
}

void pass_elements(InferContext& context) {
  const auto& shape = context.outputs()[0].type.shape;
  if (!shape || shape->size() > 1) return;
  if (auto elements = context.elements(0)) context.set_elements(0, std::move(*elements));
}

namespace {

Status infer(InferContext& context) {
  DataType element = context.element(0);
  const SymShape* input = context.shape(0);
  bool allow_zero = context.attributes().integer("allowzero") != 0;
  if (auto wanted = context.elements(1)) {
    if (input == nullptr) {
      SymShape shape = *wanted;
      for (SymInt& dim : shape)
        if (dim.is(-1) || (dim.is(0) && !allow_zero)) dim = context.fresh_symbol();
      context.set_output(0, element, std::move(shape));
      return {};
    }
    context.set_output(0, element, TENON_TRY(reshaped_shape(*input, *wanted, allow_zero)));
    pass_elements(context);
    return {};
  }
  const SymShape* rank = context.shape(1);
  if (rank != nullptr && rank->size() == 1) {
    auto count = (*rank)[0].constant();
    if (count && *count >= 0 && *count <= kTrackedElements) {
      context.set_output(0, element, context.fresh_shape(static_cast<size_t>(*count)));
      return {};
    }
  }
  context.set_output(0, element);
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  std::vector<int64_t> wanted = to_ints(context.input(1));
  SymShape inferred = TENON_TRY(
      reshaped_shape(to_sym(input.shape()), to_sym(wanted), context.attributes().integer("allowzero") != 0));
  Shape shape = *constant_shape(inferred);
  if (TENON_TRY(element_count(shape)) != input.size())
    return fail(ErrorCode::kInvalidModel, "a tensor of shape {} cannot be reshaped to {}",
                to_string(input.shape()), to_string(wanted));
  context.set_output(0, input.reshaped(std::move(shape)));
  return {};
}

// Version 1 had the shape as an attribute. allowzero came with 14.
Status upgrade(UpgradeContext& context) {
  if (context.since_version() >= 5) return upgrade_unchanged(context);
  ValueId shape = context.builder().constant_ints(context.attributes().integers("shape"));
  return context.finish(Op::kReshape, {context.input(0), shape}, {{"allowzero", int64_t{0}}});
}

Status emit(EmitContext& context) {
  if (context.opset() >= 14 || context.attributes().integer("allowzero") == 0) return emit_unchanged(context);
  const Tensor* shape = context.constant(1);
  if (shape == nullptr)
    return context.unsupported(14, "allowzero with a shape that is computed by the model");
  std::vector<int64_t> wanted = to_ints(*shape);
  const auto& input = context.input_type(0).shape;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && !(input && i < input->size() && (*input)[i].is(0)))
      return context.unsupported(14, "allowzero with a dimension of 0");
  }
  return context.finish("Reshape", context.inputs());
}

}  // namespace

constinit const OpDef kReshape{.name = "Reshape",
                               .infer = infer,
                               .reference = reference,
                               .upgrade = upgrade,
                               .emit = emit,
                               .rows = kChannelMoveRows,
                               .traits = {.view = true}};

}  // namespace tenon::ops
