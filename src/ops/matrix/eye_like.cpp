// EyeLike: ones on a diagonal, zeros elsewhere. https://onnx.ai/onnx/operators/onnx__EyeLike.html
#include <algorithm>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Result<DataType> output_type(const Attributes& attributes, DataType input) {
  if (!attributes.has("dtype")) return input;
  const int64_t type = attributes.integer("dtype");
  if (type <= 0 || type >= kDataTypeCount || type == static_cast<int64_t>(DataType::kString))
    return fail(ErrorCode::kInvalidModel, "dtype {} is no numeric type", type);
  return static_cast<DataType>(type);
}

Status infer(InferContext& context) {
  const SymShape* shape = context.shape(0);
  if (shape != nullptr && shape->size() != 2)
    return fail(ErrorCode::kInvalidModel, "a matrix like a tensor of rank {}", shape->size());
  context.set_output(0, TENON_TRY(output_type(context.attributes(), context.element(0))),
                     shape != nullptr ? *shape : context.fresh_shape(2));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  if (input.rank() != 2)
    return fail(ErrorCode::kInvalidModel, "a matrix like a tensor of rank {}", input.rank());
  const int64_t rows = input.dim(0), columns = input.dim(1);
  Tensor& output =
      context.output(0, TENON_TRY(output_type(context.attributes(), input.type())), input.shape());
  std::fill_n(output.mutable_raw(), output.bytes(), std::byte{0});
  const int64_t diagonal = std::clamp(context.attributes().integer("k"), -rows, columns);
  for (int64_t row = std::max<int64_t>(0, -diagonal); row < rows && row + diagonal < columns; ++row)
    store_element<double>(output, row * columns + row + diagonal, 1.0);
  return {};
}

}  // namespace

constinit const OpDef kEyeLike{.name = "EyeLike", .infer = infer, .reference = reference};

}  // namespace tenon::ops
