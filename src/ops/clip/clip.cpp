// Clip: Min(max, Max(input, min)) with scalar bounds, either of which may be missing (ONNX Operators.md,
// Clip).
#include <limits>

#include "ops/core/emit_wide.h"
#include "ops/core/op_def.h"
#include "ops/elementwise/kernels.h"
#include "ops/elementwise/map.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

template <class T>
Result<std::optional<T>> bound(const KernelContext& context, size_t i) {
  if (!context.has_input(i)) return std::optional<T>{};
  const Tensor& tensor = context.input(i);
  if (tensor.size() != 1)
    return fail(ErrorCode::kMismatch, "the bound of Clip has {} elements, not one", tensor.size());
  return std::optional<T>{load_element<T>(tensor, 0)};
}

// A NaN stays a NaN.
template <class T>
Result<std::function<void(T*, int64_t)>> clip_loop(const KernelContext& context) {
  const auto low = TENON_TRY(bound<T>(context, 1));
  const auto high = TENON_TRY(bound<T>(context, 2));
  return std::function<void(T*, int64_t)>([low, high](T* values, int64_t count) {
    if (low)
      for (int64_t i = 0; i < count; ++i) values[i] = values[i] < *low ? *low : values[i];
    if (high)
      for (int64_t i = 0; i < count; ++i) values[i] = values[i] > *high ? *high : values[i];
  });
}

Status reference_clip(KernelContext& context) {
  const DataType type = context.input(0).type();
  UnaryLoops loops;
  switch (compute_kind(type)) {
    case ComputeKind::kFloat:
      loops.real = TENON_TRY(clip_loop<double>(context));
      break;
    case ComputeKind::kSigned:
      loops.as_signed = TENON_TRY(clip_loop<int64_t>(context));
      break;
    default:
      loops.as_unsigned = TENON_TRY(clip_loop<uint64_t>(context));
  }
  return map_unary(context, type, loops);
}

// Below opset 11 the bounds are attributes, by default the range of float32: an infinity is clipped to it. In
// float16 that range is no bound.
Status upgrade_clip(UpgradeContext& context) {
  if (context.since_version() >= 11) return upgrade_unchanged(context);
  const float limit = std::numeric_limits<float>::max();
  const DataType type = context.builder().element(context.input(0));
  if (type == DataType::kUndefined)
    return fail(ErrorCode::kUnsupported, "the type of Clip's input is not known");
  std::vector<ValueId> inputs{context.input(0), kNoValue, kNoValue};
  const float low = context.attributes().real("min", -limit);
  const float high = context.attributes().real("max", limit);
  const bool wide = type != DataType::kFloat16;
  if (wide || low != -limit) inputs[1] = context.builder().constant_scalar(type, low);
  if (wide || high != limit) inputs[2] = context.builder().constant_scalar(type, high);
  while (inputs.back() == kNoValue) inputs.pop_back();
  return context.finish(Op::kClip, std::move(inputs), {});
}

// One bound at a time as Where(compare(x, bound), bound, x), for 64-bit integers.
Status emit_compared(EmitContext& context) {
  std::string x = context.input(0);
  const bool has_low = context.has_input(1);
  const bool has_high = context.has_input(2);
  if (!has_low && !has_high) return context.finish("Identity", {x});
  if (has_low) {
    const std::string below = TENON_TRY(context.add("Less", {x, context.input(1)}, {}, DataType::kBool));
    if (!has_high) return context.finish("Where", {below, context.input(1), x});
    x = TENON_TRY(context.add("Where", {below, context.input(1), x}));
  }
  const std::string above = TENON_TRY(context.add("Greater", {x, context.input(2)}, {}, DataType::kBool));
  return context.finish("Where", {above, context.input(2), x});
}

// Opset 11 made the bounds inputs, 12 admitted integers.
Status emit_clip(EmitContext& context) {
  const DataType type = context.input_type(0).element;
  const bool wide_integer = is_integer(type) && element_bits(type) == 64;
  if (context.opset() < 12 && wide_integer) {
    if (context.opset() < 9) return context.unsupported(12, "Clip of integers");
    return emit_compared(context);
  }
  if (context.opset() >= 11) return emit_wide_ordered(context);
  if (is_integer(type)) return context.unsupported(11, "Clip of integers");
  Attributes attributes;
  for (size_t i = 1; i <= 2; ++i) {
    if (!context.has_input(i)) continue;
    const Tensor* constant = context.constant(i);
    if (constant == nullptr || constant->size() != 1)
      return context.unsupported(11, "the bounds are not constants");
    attributes.set(i == 1 ? "min" : "max", static_cast<float>(load_element<double>(*constant, 0)));
  }
  return context.finish("Clip", {context.input(0)}, attributes);
}

}  // namespace

constinit const OpDef kClip{.name = "Clip",
                            .infer = infer_same_as_first,
                            .reference = reference_clip,
                            .upgrade = upgrade_clip,
                            .emit = emit_clip,
                            .rows = kMapRows,
                            .traits = {.elementwise = true}};

}  // namespace tenon::ops
