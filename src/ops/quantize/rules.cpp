// Shape and version rules of the quantization operators, and their definitions.
#include "ops/quantize/quantize.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Result<DataType> asked_type(const Attributes& attributes) {
  const int64_t type = attributes.integer("output_dtype", 0);
  if (type < 0 || type >= kDataTypeCount)
    return fail(ErrorCode::kInvalidModel, "{} is not an element type", type);
  return static_cast<DataType>(type);
}

std::optional<SymShape> first_shape(const InferContext& context) {
  return context.shape(0) != nullptr ? std::optional<SymShape>(*context.shape(0)) : std::nullopt;
}

Status infer_quantize(InferContext& context) {
  const DataType asked = TENON_TRY(asked_type(context.attributes()));
  DataType type = asked;
  if (context.has_input(2)) {
    type = context.element(2);
    if (asked != DataType::kUndefined && type != DataType::kUndefined && asked != type)
      return fail(ErrorCode::kInvalidModel, "output_dtype {} and the zero point's type {} differ",
                  data_type_name(asked), data_type_name(type));
  } else if (asked == DataType::kUndefined) {
    type = DataType::kUInt8;
  }
  context.set_output(0, type, first_shape(context));
  return {};
}

Status infer_dequantize(InferContext& context) {
  const DataType asked = TENON_TRY(asked_type(context.attributes()));
  context.set_output(0, asked != DataType::kUndefined ? asked : context.element(1), first_shape(context));
  return {};
}

Status infer_dynamic_quantize(InferContext& context) {
  context.set_output(0, DataType::kUInt8, first_shape(context));
  context.set_output(1, DataType::kFloat32, SymShape{});
  context.set_output(2, DataType::kUInt8, SymShape{});
  return {};
}

// The axis came with opset 13, blocks and output_dtype with 21, precision with 23. Below, what equals an
// older meaning is written so.
Status emit_quantize(EmitContext& context) {
  if (context.opset() < 10) return context.unsupported(10);
  const auto& scale = context.input_type(1).shape;
  const bool by_tensor = scale && scale->empty();
  if (context.opset() < 13) {
    if (!by_tensor) return context.unsupported(13, "quantization by axis");
    Attributes attributes = context.attributes();
    attributes.erase("axis");
    for (const char* name : {"block_size", "output_dtype", "precision"})
      if (attributes.integer(name, 0) != 0) return context.unsupported(21, name);
    return context.finish(op_name(context.node().op), context.inputs(), {});
  }
  return emit_unchanged(context);
}

Status emit_dynamic_quantize(EmitContext& context) {
  if (context.opset() < 11) return context.unsupported(11);
  return emit_unchanged(context);
}

}  // namespace

constinit const OpDef kQuantizeLinear{.name = "QuantizeLinear",
                                      .infer = infer_quantize,
                                      .reference = reference_quantize,
                                      .emit = emit_quantize};
constinit const OpDef kDequantizeLinear{.name = "DequantizeLinear",
                                        .infer = infer_dequantize,
                                        .reference = reference_dequantize,
                                        .emit = emit_quantize,
                                        .tolerance = {Tolerance::Kind::kUlp, 1}};
constinit const OpDef kDynamicQuantizeLinear{.name = "DynamicQuantizeLinear",
                                             .infer = infer_dynamic_quantize,
                                             .reference = reference_dynamic_quantize,
                                             .emit = emit_dynamic_quantize};

}  // namespace tenon::ops
