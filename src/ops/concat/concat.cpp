// Concat: tensors joined along an axis. https://onnx.ai/onnx/operators/onnx__Concat.html
#include "ops/concat/concat.h"
#include "ops/concat/kernels.h"

#include "kernels/strided_copy.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"

namespace tenon::ops {

Result<SymShape> concat_shape(const std::vector<const SymShape*>& shapes, int64_t axis) {
  SymShape output = *shapes[0];
  for (size_t k = 1; k < shapes.size(); ++k) {
    const SymShape& other = *shapes[k];
    if (other.size() != output.size())
      return fail(ErrorCode::kInvalidModel, "tensors of shapes {} and {} cannot be concatenated",
                  to_string(*shapes[0]), to_string(other));
    for (size_t i = 0; i < output.size(); ++i) {
      if (static_cast<int64_t>(i) == axis) {
        output[i] += other[i];
      } else if (!output[i].is_constant()) {
        if (other[i].is_constant()) output[i] = other[i];
      } else if (other[i].is_constant() && !(other[i] == output[i])) {
        return fail(ErrorCode::kInvalidModel,
                    "tensors of shapes {} and {} cannot be concatenated along axis {}", to_string(*shapes[0]),
                    to_string(other), axis);
      }
    }
  }
  return output;
}

void concat_into_output(KernelContext& context, const std::vector<const Tensor*>& parts, int64_t axis,
                        Shape shape) {
  const DataType type = parts[0]->type();
  const std::vector<int64_t> out_strides = kernels::dense_strides(shape);
  Tensor& output = context.output(0, type, std::move(shape));
  std::byte* target = output.mutable_raw();
  for (const Tensor* part : parts) {
    kernels::StridedCopy copy(type, part->shape(), kernels::dense_strides(part->shape()), out_strides);
    copy.run(part->raw(), target);
    target +=
        static_cast<size_t>(part->dim(static_cast<size_t>(axis)) * out_strides[static_cast<size_t>(axis)]) *
        element_size(type);
  }
}

namespace {

Status infer(InferContext& context) {
  const DataType element = context.element(0);
  std::vector<const SymShape*> shapes;
  std::optional<size_t> rank;
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (const SymShape* shape = context.shape(i)) {
      shapes.push_back(shape);
      rank = shape->size();
    }
  }
  if (!rank) {
    context.set_output(0, element);
    return {};
  }
  int64_t axis = TENON_TRY(normalize_axis(context.attributes().integer("axis"), static_cast<int64_t>(*rank)));
  SymShape shape = TENON_TRY(concat_shape(shapes, axis));
  if (shapes.size() < context.input_count()) shape[static_cast<size_t>(axis)] = context.fresh_symbol();
  context.set_output(0, element, std::move(shape));
  if (*rank != 1) return {};
  std::vector<SymInt> elements;
  for (size_t i = 0; i < context.input_count(); ++i) {
    auto part = context.elements(i);
    if (!part || elements.size() + part->size() > kTrackedElements) return {};
    elements.insert(elements.end(), part->begin(), part->end());
  }
  context.set_elements(0, std::move(elements));
  return {};
}

Status reference(KernelContext& context) {
  std::vector<const Tensor*> parts;
  std::vector<SymShape> shapes;
  for (size_t i = 0; i < context.input_count(); ++i) {
    parts.push_back(&context.input(i));
    shapes.push_back(to_sym(context.input(i).shape()));
  }
  std::vector<const SymShape*> pointers;
  for (const SymShape& shape : shapes) pointers.push_back(&shape);
  int64_t axis = TENON_TRY(normalize_axis(context.attributes().integer("axis"), parts[0]->rank()));
  Shape shape = *constant_shape(TENON_TRY(concat_shape(pointers, axis)));
  concat_into_output(context, parts, axis, std::move(shape));
  return {};
}

// Version 1 had a default axis.
Status upgrade(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  if (!attributes.has("axis")) attributes.set("axis", int64_t{1});
  return context.finish(Op::kConcat, context.inputs(), std::move(attributes));
}

}  // namespace

constinit const OpDef kConcat{
    .name = "Concat",
    .infer = infer,
    .reference = reference,
    .upgrade = upgrade,
    .emit = emit_axis_of_first,
    .rows = kConcatRows,
};

}  // namespace tenon::ops
