// GatherElements: for each index the element of the data at its place, but for one axis.
// https://onnx.ai/onnx/operators/onnx__GatherElements.html
#include "kernels/strided_copy.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "ops/gather/gather.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* data = context.shape(0);
  const SymShape* indices = context.shape(1);
  if (data != nullptr && indices != nullptr && data->size() != indices->size())
    return fail(ErrorCode::kInvalidModel, "data of shape {} and indices of shape {} differ in rank",
                to_string(*data), to_string(*indices));
  std::optional<SymShape> shape;
  if (indices != nullptr) shape = *indices;
  if (indices == nullptr && data != nullptr) shape = context.fresh_shape(data->size());
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Shape& shape = context.input(1).shape();
  auto axis =
      static_cast<size_t>(TENON_TRY(normalize_axis(context.attributes().integer("axis"), data.rank())));
  if (shape.size() != data.shape().size())
    return fail(ErrorCode::kInvalidModel, "data of shape {} and indices of shape {} differ in rank",
                to_string(data.shape()), to_string(shape));
  for (size_t i = 0; i < shape.size(); ++i)
    if (i != axis && shape[i] > data.dim(i))
      return fail(ErrorCode::kInvalidModel, "indices of shape {} reach beyond data of shape {}",
                  to_string(shape), to_string(data.shape()));
  std::vector<int64_t> indices = to_ints(context.input(1));
  TENON_TRY(resolve_indices(indices, data.dim(axis)));
  Tensor& output = context.output(0, data.type(), shape);
  const std::vector<int64_t> strides = kernels::dense_strides(data.shape());
  const std::vector<int64_t> places = kernels::dense_strides(shape);
  by_width(data.type(), [&]<class T>(std::type_identity<T>) {
    context.parallel_for(output.size(), 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t source = indices[static_cast<size_t>(i)] * strides[axis];
        for (size_t k = 0; k < shape.size(); ++k)
          if (k != axis) source += i / places[k] % shape[k] * strides[k];
        output.mutable_data<T>()[i] = data.data<T>()[source];
      }
    });
  });
  return {};
}

}  // namespace

constinit const OpDef kGatherElements{.name = "GatherElements", .infer = infer, .reference = reference};

}  // namespace tenon::ops
