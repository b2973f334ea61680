// References of Cast, CastLike and BitCast, after ONNX's Operators.md.
#include <charconv>
#include <cmath>

#include "ops/cast/cast.h"
#include "ops/elementwise/map.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// Whole numbers are read exactly; others as a real number, and converted as one.
Status parse_elements(KernelContext& context, const Tensor& input, Tensor& output,
                      const CastOptions& options) {
  const auto texts = input.strings();
  for (int64_t i = 0; i < input.size(); ++i) {
    if (i % kMapChunk == 0) TENON_TRY(context.services().interrupted());
    const std::string& text = texts[static_cast<size_t>(i)];
    int64_t whole = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (is_integer(output.type()) && error == std::errc() && end == text.data() + text.size()) {
      store_element<int64_t>(output, i, whole);
      continue;
    }
    Tensor number = Tensor::allocate(DataType::kFloat64, {1});
    *number.mutable_data<double>() = TENON_TRY(parse_number(text));
    Tensor element = Tensor::allocate(output.type(), {1});
    cast_elements(number, element, 0, 1, options);
    std::copy_n(element.raw(), element.bytes(),
                output.mutable_raw() + static_cast<size_t>(i) * element.bytes());
  }
  return {};
}

Status format_elements(KernelContext& context, const Tensor& input, Tensor& output) {
  const ComputeKind kind = compute_kind(input.type());
  for (int64_t i = 0; i < input.size(); ++i) {
    if (i % kMapChunk == 0) TENON_TRY(context.services().interrupted());
    std::string& text = output.mutable_data<std::string>()[i];
    if (input.type() == DataType::kBool)
      text = load_element<uint64_t>(input, i) != 0 ? "True" : "False";
    else if (kind == ComputeKind::kSigned)
      text = std::to_string(load_element<int64_t>(input, i));
    else if (kind == ComputeKind::kUnsigned)
      text = std::to_string(load_element<uint64_t>(input, i));
    else
      text = format_number(input.type(), load_element<double>(input, i));
  }
  return {};
}

Status cast_to(KernelContext& context, DataType to) {
  const Tensor& input = context.input(0);
  if (input.type() == to) {
    context.set_output(0, input);
    return {};
  }
  if (element_size(to) == 0 || compute_kind(to) == ComputeKind::kComplex ||
      compute_kind(input.type()) == ComputeKind::kComplex)
    return fail(ErrorCode::kInvalidModel, "no cast from {} to {}", data_type_name(input.type()),
                data_type_name(to));
  const CastOptions options = TENON_TRY(cast_options(context.attributes()));
  Tensor& output = context.output(0, to, input.shape());
  if (to == DataType::kString) return format_elements(context, input, output);
  if (input.is_string()) return parse_elements(context, input, output, options);
  context.parallel_for(input.size(), kMapGrain, [&](int64_t begin, int64_t end) {
    cast_elements(input, output, begin, end - begin, options);
  });
  return {};
}

Result<DataType> target_type(const Attributes& attributes) {
  const int64_t to = attributes.integer("to");
  if (to <= 0 || to >= kDataTypeCount) return fail(ErrorCode::kInvalidModel, "{} is not an element type", to);
  return static_cast<DataType>(to);
}

Status infer_to(InferContext& context, DataType to) {
  std::optional<SymShape> shape;
  if (context.shape(0) != nullptr) shape = *context.shape(0);
  context.set_output(0, to, std::move(shape));
  auto elements = context.elements(0);
  if (!elements) return {};
  if (to == DataType::kInt64 || to == DataType::kInt32) {
    context.set_elements(0, std::move(*elements));
  } else if (to == DataType::kBool) {
    for (SymInt& element : *elements) {
      if (!element.is_constant()) return {};
      element = element.is(0) ? 0 : 1;
    }
    context.set_elements(0, std::move(*elements));
  }
  return {};
}

Status infer_cast(InferContext& context) {
  return infer_to(context, TENON_TRY(target_type(context.attributes())));
}

Status infer_cast_like(InferContext& context) {
  return infer_to(context, context.element(1));
}

Status reference_cast(KernelContext& context) {
  return cast_to(context, TENON_TRY(target_type(context.attributes())));
}

Status reference_cast_like(KernelContext& context) {
  return cast_to(context, context.input(1).type());
}

Status infer_bit_cast(InferContext& context) {
  const DataType to = TENON_TRY(target_type(context.attributes()));
  const DataType from = context.element(0);
  if (from != DataType::kUndefined && (element_bits(from) != element_bits(to) || element_bits(to) == 0))
    return fail(ErrorCode::kInvalidModel, "{} and {} do not have the same number of bits",
                data_type_name(from), data_type_name(to));
  std::optional<SymShape> shape;
  if (context.shape(0) != nullptr) shape = *context.shape(0);
  context.set_output(0, to, std::move(shape));
  return {};
}

Status reference_bit_cast(KernelContext& context) {
  const DataType to = TENON_TRY(target_type(context.attributes()));
  const Tensor& input = context.input(0);
  if (element_bits(input.type()) != element_bits(to) || element_bits(to) == 0)
    return fail(ErrorCode::kMismatch, "{} and {} do not have the same number of bits",
                data_type_name(input.type()), data_type_name(to));
  context.set_output(0, input.reinterpreted(to));
  return {};
}

// Opset 1 named the type in words: "FLOAT", "INT64".
Status upgrade_cast(UpgradeContext& context) {
  const AttributeValue* to = context.attributes().find("to");
  const auto* name = to != nullptr ? std::get_if<std::string>(to) : nullptr;
  if (name == nullptr) return upgrade_unchanged(context);
  static constexpr std::pair<std::string_view, DataType> kNames[] = {
      {"FLOAT", DataType::kFloat32},   {"UINT8", DataType::kUInt8},    {"INT8", DataType::kInt8},
      {"UINT16", DataType::kUInt16},   {"INT16", DataType::kInt16},    {"INT32", DataType::kInt32},
      {"INT64", DataType::kInt64},     {"STRING", DataType::kString},  {"BOOL", DataType::kBool},
      {"FLOAT16", DataType::kFloat16}, {"DOUBLE", DataType::kFloat64}, {"UINT32", DataType::kUInt32},
      {"UINT64", DataType::kUInt64}};
  for (const auto& [known, type] : kNames)
    if (known == *name)
      return context.finish(Op::kCast, context.inputs(), {{"to", static_cast<int64_t>(type)}});
  return fail(ErrorCode::kInvalidModel, "\"{}\" is not an element type", *name);
}

// Opset 15. Before, and for types that a version lacks: Cast to the type of the second input.
Status emit_cast_like(EmitContext& context) {
  const Schema* schema = find_schema("", "CastLike", context.opset());
  const DataType from = context.input_type(0).element;
  const DataType to = context.input_type(1).element;
  if (schema != nullptr && schema->input(0)->types.has_tensor(from) && schema->input(1)->types.has_tensor(to))
    return emit_unchanged(context);
  if (to == DataType::kUndefined) return context.unsupported(15, "the target's type is not known");
  return context.finish("Cast", {context.input(0)}, {{"to", static_cast<int64_t>(to)}});
}

}  // namespace

constinit const OpDef kCast{.name = "Cast",
                            .infer = infer_cast,
                            .reference = reference_cast,
                            .upgrade = upgrade_cast,
                            .traits = {.elementwise = true}};
constinit const OpDef kCastLike{.name = "CastLike",
                                .infer = infer_cast_like,
                                .reference = reference_cast_like,
                                .emit = emit_cast_like,
                                .traits = {.elementwise = true}};
constinit const OpDef kBitCast{.name = "BitCast",
                               .infer = infer_bit_cast,
                               .reference = reference_bit_cast,
                               .traits = {.elementwise = true}};

}  // namespace tenon::ops
