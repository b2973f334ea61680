// Trilu: the upper or lower triangle of matrices, zeros elsewhere.
// https://onnx.ai/onnx/operators/onnx__Trilu.html
#include <algorithm>

#include "ops/core/op_def.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  if (const SymShape* shape = context.shape(0); shape != nullptr && shape->size() < 2)
    return fail(ErrorCode::kInvalidModel, "a triangle of a tensor of rank {}", shape->size());
  context.set_output(0, context.type(0));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  if (input.rank() < 2)
    return fail(ErrorCode::kInvalidModel, "a triangle of a tensor of rank {}", input.rank());
  int64_t diagonal = 0;
  if (context.has_input(1)) {
    if (context.input(1).size() != 1) return fail(ErrorCode::kInvalidModel, "k is not one number");
    diagonal = load_element<int64_t>(context.input(1), 0);
  }
  const bool upper = context.attributes().integer("upper", 1) != 0;
  const int64_t columns = input.shape().back(), rows = input.dim(input.shape().size() - 2);
  diagonal = std::clamp(diagonal, -rows, columns);
  Tensor& output = context.output(0, input.type(), input.shape());
  if (output.size() == 0) return {};
  by_width(input.type(), [&]<class T>(std::type_identity<T>) {
    context.parallel_for(
        output.size() / columns, std::max<int64_t>(1, 4096 / columns), [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const T* in = input.data<T>() + i * columns;
            T* out = output.mutable_data<T>() + i * columns;
            // The first column of the upper part, or the first beyond the lower one.
            const int64_t edge = std::clamp<int64_t>(i % rows + diagonal + (upper ? 0 : 1), 0, columns);
            std::fill_n(upper ? out : out + edge, upper ? edge : columns - edge, T{});
            std::copy(upper ? in + edge : in, upper ? in + columns : in + edge, upper ? out + edge : out);
          }
        });
  });
  return {};
}

// The operator came with 14: before, columns and rows are compared and the input is chosen or zero.
Status emit(EmitContext& context) {
  if (context.opset() >= 14) return emit_unchanged(context);
  const Tensor* k = context.constant(1);
  if (context.opset() < 11 || (context.has_input(1) && (k == nullptr || k->size() != 1)))
    return context.unsupported(14, "a diagonal that is computed by the model");
  const int64_t diagonal = k != nullptr ? load_element<int64_t>(*k, 0) : 0;
  const bool upper = context.attributes().integer("upper", 1) != 0;
  auto ints = [&](std::vector<int64_t> values) {
    return context.constant(Tensor::from_ints(values), "index");
  };
  auto scalar = [&](int64_t value) { return context.constant(Tensor::scalar(value), "scalar"); };
  std::string shape = TENON_TRY(context.add("Shape", {context.input(0)}, {}, DataType::kInt64));
  auto range = [&](int64_t from_end, int64_t start) -> Result<std::string> {
    std::string size = TENON_TRY(context.add("Gather", {shape, scalar(-from_end)}, {}, DataType::kInt64));
    std::string limit = TENON_TRY(context.add("Add", {size, scalar(start)}, {}, DataType::kInt64));
    return TENON_TRY(context.add("Range", {scalar(start), limit, scalar(1)}, {}, DataType::kInt64));
  };
  // upper keeps column >= row + k, lower keeps column <= row + k.
  std::string row_bounds = TENON_TRY(range(2, diagonal));
  std::string columns = TENON_TRY(range(1, 0));
  std::string rows = TENON_TRY(context.add("Reshape", {row_bounds, ints({-1, 1})}, {}, DataType::kInt64));
  std::vector<std::string> operands = {columns, rows};
  if (!upper) std::swap(operands[0], operands[1]);
  std::string outside = TENON_TRY(context.add("Less", operands, {}, DataType::kBool));
  Tensor zero = Tensor::allocate(context.input_type(0).element, {});
  std::fill_n(zero.mutable_raw(), zero.bytes(), std::byte{0});
  return context.finish("Where", {outside, context.constant(std::move(zero), "zero"), context.input(0)});
}

}  // namespace

constinit const OpDef kTrilu{.name = "Trilu", .infer = infer, .reference = reference, .emit = emit};

}  // namespace tenon::ops
