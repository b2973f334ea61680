// MaxUnpool (https://onnx.ai/onnx/operators/onnx__MaxUnpool.html): puts elements back where MaxPool took them
// from; the others are 0. Indices count the elements of the output that the window implies, also when
// output_shape asks for a larger one.
#include <cstring>

#include "ops/core/op_def.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// The output shape that kernel, strides and pads imply.
Result<SymShape> implied_shape(const Attributes& attributes, const SymShape& x) {
  if (x.size() < 3) return fail(ErrorCode::kInvalidModel, "X has rank {}, expected at least 3", x.size());
  const Window window = TENON_TRY(read_pool_window(attributes, x.size() - 2));
  SymShape shape = {x[0], x[1]};
  for (size_t i = 0; i < window.axes(); ++i) {
    shape.push_back((x[i + 2] - 1) * window.strides[i] + window.kernel[i] -
                    (window.pads_begin[i] + window.pads_end[i]));
    if (auto size = shape.back().constant(); size && *size < 0)
      return fail(ErrorCode::kInvalidModel, "the pads are larger than the output");
  }
  return shape;
}

Status infer(InferContext& context) {
  const SymShape* x = context.shape(0);
  if (!x) {
    context.set_output(0, context.element(0));
    return {};
  }
  SymShape shape = TENON_TRY(implied_shape(context.attributes(), *x));
  if (context.has_input(2)) {
    if (auto asked = context.elements(2); asked && asked->size() == x->size())
      shape = *asked;
    else
      shape = context.fresh_shape(x->size());
  }
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor &x = context.input(0), &indices = context.input(1);
  if (indices.shape() != x.shape())
    return fail(ErrorCode::kInvalidModel, "I has shape {}, X has {}", tenon::to_string(indices.shape()),
                tenon::to_string(x.shape()));
  const Shape implied = *constant_shape(TENON_TRY(implied_shape(context.attributes(), to_sym(x.shape()))));
  Shape shape = implied;
  if (context.has_input(2)) shape = to_ints(context.input(2));
  if (shape.size() != implied.size())
    return fail(ErrorCode::kInvalidModel, "output_shape has {} values for rank {}", shape.size(),
                implied.size());
  const int64_t count = TENON_TRY(element_count(implied));
  TENON_TRY(element_count(shape));
  Tensor& y = context.output(0, x.type(), shape);
  std::memset(y.mutable_raw(), 0, y.bytes());
  const size_t bytes = element_size(x.type());
  const std::vector<int64_t> strides = row_major_strides(shape);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t rest = indices.data<int64_t>()[i];
    if (rest < 0 || rest >= count)
      return fail(ErrorCode::kInvalidModel, "I holds {}, outside the {} elements of the output", rest, count);
    int64_t at = 0;
    for (size_t axis = implied.size(); axis-- > 0;) {
      const int64_t coordinate = rest % implied[axis];
      rest /= implied[axis];
      if (coordinate >= shape[axis])
        return fail(ErrorCode::kInvalidModel, "output_shape {} is smaller than the indices ask for",
                    tenon::to_string(shape));
      at += coordinate * strides[axis];
    }
    std::memcpy(y.mutable_raw() + static_cast<size_t>(at) * bytes, x.raw() + static_cast<size_t>(i) * bytes,
                bytes);
  }
  return {};
}

}  // namespace

constinit const OpDef kMaxUnpool{
    .name = "MaxUnpool",
    .infer = infer,
    .reference = reference,
};

}  // namespace tenon::ops
