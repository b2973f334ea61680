// Sequences: made, looked into, and changed by copy. https://onnx.ai/onnx/operators/onnx__SequenceAt.html and
// its neighbours SequenceConstruct, -Empty, -Insert, -Erase, -Length.
#include "ops/sequence/sequence.h"
#include "ops/control_flow/types.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

Result<int64_t> sequence_position(const Tensor& position, int64_t count, bool may_be_end) {
  if (position.size() != 1)
    return fail(ErrorCode::kInvalidModel, "a position with {} elements", position.size());
  const auto index = load_element<int64_t>(position, 0);
  if (index < -count || index >= count + (may_be_end ? 1 : 0))
    return fail(ErrorCode::kInvalidModel, "position {} is outside a sequence of length {}", index, count);
  return index < 0 ? index + count : index;
}

Result<const Sequence*> sequence_input(KernelContext& context, size_t i) {
  if (!context.value(i).is_sequence()) return fail(ErrorCode::kInvalidModel, "input {} is not a sequence", i);
  return &context.value(i).sequence();
}

namespace {

// The type of the items of input 0; unknown when the input is not a sequence.
ValueType item_type(InferContext& context) {
  const ValueType& type = context.type(0);
  return type.kind == ValueType::Kind::kSequence && type.inner ? *type.inner : ValueType{};
}

Status infer_construct(InferContext& context) {
  ValueType item = context.type(0);
  for (size_t i = 1; i < context.input_count(); ++i) item = either_type(item, context.type(i), context);
  context.set_output(0, ValueType::sequence(std::move(item)));
  return {};
}

Status construct(KernelContext& context) {
  Sequence sequence;
  sequence.element_type = context.input(0).type();
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (context.input(i).type() != sequence.element_type)
      return fail(ErrorCode::kInvalidModel, "the items of a sequence have types {} and {}",
                  data_type_name(sequence.element_type), data_type_name(context.input(i).type()));
    sequence.items.push_back(context.value(i));
  }
  context.set_output(0, std::move(sequence));
  return {};
}

Result<DataType> empty_type(const Attributes& attributes) {
  const int64_t type = attributes.integer("dtype", static_cast<int64_t>(DataType::kFloat32));
  if (type <= 0 || type >= kDataTypeCount) return fail(ErrorCode::kInvalidModel, "dtype {} is no type", type);
  return static_cast<DataType>(type);
}

Status infer_empty(InferContext& context) {
  context.set_output(0, ValueType::sequence(ValueType::tensor(TENON_TRY(empty_type(context.attributes())))));
  return {};
}

Status empty(KernelContext& context) {
  context.set_output(0, Sequence{TENON_TRY(empty_type(context.attributes())), {}});
  return {};
}

Status infer_at(InferContext& context) {
  context.set_output(0, refreshed(item_type(context), context));
  return {};
}

Status at(KernelContext& context) {
  const Sequence& sequence = *TENON_TRY(sequence_input(context, 0));
  const auto count = static_cast<int64_t>(sequence.items.size());
  const int64_t position = TENON_TRY(sequence_position(context.input(1), count, false));
  context.set_output(0, sequence.items[static_cast<size_t>(position)]);
  return {};
}

Status infer_insert(InferContext& context) {
  ValueType item = item_type(context);
  // An empty sequence knows nothing of shapes: either_type leaves the rank unknown.
  context.set_output(0, ValueType::sequence(item.kind == ValueType::Kind::kUnknown
                                                ? ValueType::tensor(context.element(1))
                                                : either_type(item, context.type(1), context)));
  return {};
}

Status insert(KernelContext& context) {
  Sequence sequence = *TENON_TRY(sequence_input(context, 0));
  if (context.value(1).is_tensor() && sequence.items.empty() && sequence.element_type == DataType::kUndefined)
    sequence.element_type = context.input(1).type();
  if (context.value(1).is_tensor() && context.input(1).type() != sequence.element_type)
    return fail(ErrorCode::kInvalidModel, "a {} tensor is inserted into a sequence of {} tensors",
                data_type_name(context.input(1).type()), data_type_name(sequence.element_type));
  const auto count = static_cast<int64_t>(sequence.items.size());
  const int64_t position =
      context.has_input(2) ? TENON_TRY(sequence_position(context.input(2), count, true)) : count;
  sequence.items.insert(sequence.items.begin() + position, context.value(1));
  context.set_output(0, std::move(sequence));
  return {};
}

Status erase(KernelContext& context) {
  Sequence sequence = *TENON_TRY(sequence_input(context, 0));
  const auto count = static_cast<int64_t>(sequence.items.size());
  if (count == 0) return fail(ErrorCode::kInvalidModel, "an item is erased from an empty sequence");
  const int64_t position =
      context.has_input(1) ? TENON_TRY(sequence_position(context.input(1), count, false)) : count - 1;
  sequence.items.erase(sequence.items.begin() + position);
  context.set_output(0, std::move(sequence));
  return {};
}

Status infer_length(InferContext& context) {
  context.set_output(0, DataType::kInt64, SymShape{});
  return {};
}

Status length(KernelContext& context) {
  const Sequence& sequence = *TENON_TRY(sequence_input(context, 0));
  context.set_output(0, Tensor::scalar(static_cast<int64_t>(sequence.items.size())));
  return {};
}

}  // namespace

constinit const OpDef kSequenceConstruct{
    .name = "SequenceConstruct", .infer = infer_construct, .reference = construct};
constinit const OpDef kSequenceEmpty{.name = "SequenceEmpty", .infer = infer_empty, .reference = empty};
constinit const OpDef kSequenceAt{.name = "SequenceAt", .infer = infer_at, .reference = at};
constinit const OpDef kSequenceInsert{.name = "SequenceInsert", .infer = infer_insert, .reference = insert};
constinit const OpDef kSequenceErase{
    .name = "SequenceErase", .infer = infer_same_as_first, .reference = erase};
constinit const OpDef kSequenceLength{.name = "SequenceLength", .infer = infer_length, .reference = length};

}  // namespace tenon::ops
