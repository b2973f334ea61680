// Shape and Size: the dimensions of a tensor, and their product, as integers.
// https://onnx.ai/onnx/operators/onnx__Shape.html, https://onnx.ai/onnx/operators/onnx__Size.html
#include <algorithm>
#include <limits>

#include "ops/core/op_def.h"

namespace tenon::ops {

namespace {

struct Range {
  int64_t begin, end;
};

// start and end count from the back when negative and are clamped to the rank.
Range range_of(const Attributes& attributes, int64_t rank) {
  auto clamp = [&](int64_t value) { return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank); };
  const int64_t begin = clamp(attributes.integer("start"));
  const int64_t end = attributes.has("end") ? clamp(attributes.integer("end")) : rank;
  return {begin, std::max(begin, end)};
}

Status infer_shape(InferContext& context) {
  const SymShape* input = context.shape(0);
  if (input == nullptr) {
    context.set_output(0, DataType::kInt64, context.fresh_shape(1));
    return {};
  }
  const Range range = range_of(context.attributes(), static_cast<int64_t>(input->size()));
  context.set_output(0, DataType::kInt64, SymShape{range.end - range.begin});
  context.set_elements(0, std::vector<SymInt>(input->begin() + range.begin, input->begin() + range.end));
  return {};
}

Status reference_shape(KernelContext& context) {
  const Shape& shape = context.input(0).shape();
  const Range range = range_of(context.attributes(), static_cast<int64_t>(shape.size()));
  Tensor& output = context.output(0, DataType::kInt64, {range.end - range.begin});
  std::copy(shape.begin() + range.begin, shape.begin() + range.end, output.mutable_data<int64_t>());
  return {};
}

// start and end came with 15: below, the whole shape is sliced.
Status emit_shape(EmitContext& context) {
  const bool whole = context.attributes().integer("start") == 0 && !context.attributes().has("end");
  if (context.opset() >= 15 || whole) return emit_unchanged(context);
  const int64_t start = context.attributes().integer("start");
  const int64_t end = context.attributes().integer("end", std::numeric_limits<int64_t>::max());
  std::string all = TENON_TRY(context.add("Shape", {context.input(0)}, {}, DataType::kInt64));
  if (context.opset() < 10)
    return context.finish("Slice", {all},
                          {{"starts", std::vector<int64_t>{start}}, {"ends", std::vector<int64_t>{end}}});
  std::string starts = context.constant(Tensor::from_ints(std::vector{start}), "starts");
  std::string ends = context.constant(Tensor::from_ints(std::vector{end}), "ends");
  return context.finish("Slice", {all, starts, ends});
}

Status infer_size(InferContext& context) {
  context.set_output(0, DataType::kInt64, SymShape{});
  if (const SymShape* input = context.shape(0)) context.set_elements(0, {element_count(*input)});
  return {};
}

Status reference_size(KernelContext& context) {
  context.output(0, DataType::kInt64, {}).mutable_data<int64_t>()[0] = context.input(0).size();
  return {};
}

}  // namespace

constinit const OpDef kShape{
    .name = "Shape", .infer = infer_shape, .reference = reference_shape, .emit = emit_shape};

constinit const OpDef kSize{.name = "Size", .infer = infer_size, .reference = reference_size};

}  // namespace tenon::ops
