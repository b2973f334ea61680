// Where: elements of X where the condition holds, else of Y, all three broadcast (ONNX Operators.md, Where).
#include "ops/core/emit_wide.h"
#include "ops/core/op_def.h"
#include "ops/elementwise/broadcast.h"
#include "ops/elementwise/map.h"

namespace tenon::ops {

namespace {

Status infer_where(InferContext& context) {
  DataType element = context.element(1);
  if (element == DataType::kUndefined) element = context.element(2);
  std::optional<SymShape> shape;
  if (context.shape(0) != nullptr && context.shape(1) != nullptr && context.shape(2) != nullptr) {
    SymShape values = TENON_TRY(broadcast(*context.shape(1), *context.shape(2)));
    shape = TENON_TRY(broadcast(values, *context.shape(0)));
  }
  const bool tracked = shape && shape->size() <= 1;
  context.set_output(0, element, std::move(shape));
  const auto condition = context.elements(0);
  const auto x = context.elements(1);
  const auto y = context.elements(2);
  if (!tracked || !condition || !x || !y) return {};
  const size_t size = std::max({condition->size(), x->size(), y->size()});
  auto at = [](const std::vector<SymInt>& values, size_t i) { return values[values.size() == 1 ? 0 : i]; };
  for (const auto* values : {&*condition, &*x, &*y})
    if (values->size() != 1 && values->size() != size) return {};
  std::vector<SymInt> elements;
  for (size_t i = 0; i < size; ++i) {
    const SymInt chosen = at(*condition, i);
    if (chosen.is_constant())
      elements.push_back(chosen.is(0) ? at(*y, i) : at(*x, i));
    else if (at(*x, i) == at(*y, i))
      elements.push_back(at(*x, i));
    else
      return {};
  }
  context.set_elements(0, std::move(elements));
  return {};
}

// Moves the chosen elements of one operand into a range of the output.
template <class T>
void choose(const BroadcastPlan& plan, size_t input, const Tensor& tensor, const uint8_t* condition,
            bool wanted, int64_t begin, int64_t count, T* out) {
  const T* values = tensor.data<T>();
  plan.for_runs(input, begin, count, [&](int64_t position, int64_t offset, int64_t length, int64_t step) {
    for (int64_t i = 0; i < length; ++i)
      if ((condition[position + i] != 0) == wanted) out[position + i] = values[offset + i * step];
  });
}

struct Bytes16 {
  uint64_t low, high;
};

template <class T>
Status select(KernelContext& context, const BroadcastPlan& plan) {
  const Tensor& condition = context.input(0);
  Tensor& output = context.output(0, context.input(1).type(), plan.shape());
  context.parallel_for(plan.size(), kMapGrain, [&](int64_t begin, int64_t end) {
    uint8_t chosen[kMapChunk];
    for (int64_t at = begin; at < end; at += kMapChunk) {
      const int64_t count = std::min(kMapChunk, end - at);
      plan.for_runs(0, at, count, [&](int64_t position, int64_t offset, int64_t length, int64_t step) {
        for (int64_t i = 0; i < length; ++i)
          chosen[position + i] = condition.data<uint8_t>()[offset + i * step];
      });
      T* out = output.mutable_data<T>() + at;
      choose<T>(plan, 1, context.input(1), chosen, true, at, count, out);
      choose<T>(plan, 2, context.input(2), chosen, false, at, count, out);
    }
  });
  return {};
}

Status reference_where(KernelContext& context) {
  const BroadcastPlan plan = TENON_TRY(
      BroadcastPlan::make({context.input(0).shape(), context.input(1).shape(), context.input(2).shape()}));
  const DataType type = context.input(1).type();
  if (type == DataType::kString) return select<std::string>(context, plan);
  switch (element_size(type)) {
    case 1:
      return select<uint8_t>(context, plan);
    case 2:
      return select<uint16_t>(context, plan);
    case 4:
      return select<uint32_t>(context, plan);
    case 8:
      return select<uint64_t>(context, plan);
    default:
      return select<Bytes16>(context, plan);
  }
}

// Opset 9. bfloat16 since 16: before, through float32.
Status emit_where(EmitContext& context) {
  if (context.opset() < 9) return context.unsupported(9);
  const DataType type = context.input_type(1).element;
  if (type != DataType::kBFloat16 || context.opset() >= 16) return emit_unchanged(context);
  std::vector<std::string> inputs = context.inputs();
  const auto wide = static_cast<int64_t>(DataType::kFloat32);
  for (size_t i = 1; i < 3; ++i)
    inputs[i] = TENON_TRY(context.add("Cast", {inputs[i]}, {{"to", wide}}, DataType::kFloat32));
  const std::string result = TENON_TRY(context.add("Where", inputs, {}, DataType::kFloat32));
  return context.finish("Cast", {result}, {{"to", static_cast<int64_t>(type)}});
}

}  // namespace

constinit const OpDef kWhere{.name = "Where",
                             .infer = infer_where,
                             .reference = reference_where,
                             .emit = emit_where,
                             .traits = {.elementwise = true}};

}  // namespace tenon::ops
