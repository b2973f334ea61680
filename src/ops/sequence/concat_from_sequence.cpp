// ConcatFromSequence: the items of a sequence, joined or stacked.
// https://onnx.ai/onnx/operators/onnx__ConcatFromSequence.html
#include "ops/concat/concat.h"
#include "ops/core/op_def.h"
#include "ops/sequence/sequence.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const ValueType& type = context.type(0);
  const ValueType* item = type.kind == ValueType::Kind::kSequence ? type.inner.get() : nullptr;
  if (item == nullptr || !item->is_tensor()) {
    context.set_output(0, DataType::kUndefined);
    return {};
  }
  if (!item->shape) {
    context.set_output(0, item->element);
    return {};
  }
  const bool stack = context.attributes().integer("new_axis") != 0;
  SymShape shape = *item->shape;
  const auto rank = static_cast<int64_t>(shape.size()) + (stack ? 1 : 0);
  const int64_t axis = TENON_TRY(normalize_axis(context.attributes().integer("axis"), rank));
  if (stack)
    shape.insert(shape.begin() + axis, context.fresh_symbol());
  else
    shape[static_cast<size_t>(axis)] = context.fresh_symbol();
  context.set_output(0, item->element, std::move(shape));
  return {};
}

Status reference(KernelContext& context) {
  const Sequence& sequence = *TENON_TRY(sequence_input(context, 0));
  if (sequence.items.empty())
    return fail(ErrorCode::kInvalidModel, "an empty sequence cannot be concatenated");
  const bool stack = context.attributes().integer("new_axis") != 0;
  int64_t axis = context.attributes().integer("axis");
  std::vector<Tensor> tensors;
  for (const Value& item : sequence.items) {
    if (!item.is_tensor()) return fail(ErrorCode::kInvalidModel, "an item of the sequence is not a tensor");
    Shape shape = item.tensor().shape();
    if (tensors.empty()) axis = TENON_TRY(normalize_axis(axis, item.tensor().rank() + (stack ? 1 : 0)));
    if (stack && axis > item.tensor().rank())
      return fail(ErrorCode::kInvalidModel, "the items of the sequence differ in rank");
    if (stack) shape.insert(shape.begin() + axis, 1);
    tensors.push_back(item.tensor().reshaped(std::move(shape)));
  }
  std::vector<const Tensor*> parts;
  std::vector<SymShape> shapes;
  for (const Tensor& tensor : tensors) {
    parts.push_back(&tensor);
    shapes.push_back(to_sym(tensor.shape()));
    if (tensor.type() != tensors[0].type())
      return fail(ErrorCode::kInvalidModel, "the items of the sequence differ in type");
  }
  std::vector<const SymShape*> pointers;
  for (const SymShape& shape : shapes) pointers.push_back(&shape);
  Shape shape = *constant_shape(TENON_TRY(concat_shape(pointers, axis)));
  concat_into_output(context, parts, axis, std::move(shape));
  return {};
}

}  // namespace

constinit const OpDef kConcatFromSequence{
    .name = "ConcatFromSequence", .infer = infer, .reference = reference};

}  // namespace tenon::ops
