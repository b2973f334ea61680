// GatherND: slices of a tensor picked by tuples of indices, within batches.
// https://onnx.ai/onnx/operators/onnx__GatherND.html
#include <algorithm>

#include "kernels/strided_copy.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

Status check_ranks(int64_t data_rank, int64_t indices_rank, int64_t batch_dims) {
  if (data_rank < 1 || indices_rank < 1 || batch_dims < 0 || batch_dims >= std::min(data_rank, indices_rank))
    return fail(ErrorCode::kInvalidModel, "data of rank {}, indices of rank {} and batch_dims {} do not fit",
                data_rank, indices_rank, batch_dims);
  return {};
}

Status check_tuple(int64_t tuple, int64_t data_rank, int64_t batch_dims) {
  if (tuple < 1 || tuple > data_rank - batch_dims)
    return fail(ErrorCode::kInvalidModel, "tuples of {} indices into data of rank {} with batch_dims {}",
                tuple, data_rank, batch_dims);
  return {};
}

Status infer(InferContext& context) {
  const SymShape* data = context.shape(0);
  const SymShape* indices = context.shape(1);
  context.set_output(0, context.element(0));
  if (data == nullptr || indices == nullptr) return {};
  const int64_t batch_dims = context.attributes().integer("batch_dims");
  const auto data_rank = static_cast<int64_t>(data->size());
  TENON_TRY(check_ranks(data_rank, static_cast<int64_t>(indices->size()), batch_dims));
  auto tuple = indices->back().constant();
  if (!tuple) return {};
  TENON_TRY(check_tuple(*tuple, data_rank, batch_dims));
  SymShape shape(indices->begin(), indices->end() - 1);
  shape.insert(shape.end(), data->begin() + batch_dims + *tuple, data->end());
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& index_tensor = context.input(1);
  const int64_t batch_dims = context.attributes().integer("batch_dims");
  TENON_TRY(check_ranks(data.rank(), index_tensor.rank(), batch_dims));
  const int64_t tuple = index_tensor.shape().back();
  TENON_TRY(check_tuple(tuple, data.rank(), batch_dims));
  int64_t batches = 1;
  for (size_t i = 0; i < static_cast<size_t>(batch_dims); ++i) {
    if (data.dim(i) != index_tensor.dim(i))
      return fail(ErrorCode::kInvalidModel, "batch dimension {} is {} in the data and {} in the indices", i,
                  data.dim(i), index_tensor.dim(i));
    batches *= data.dim(i);
  }
  Shape shape(index_tensor.shape().begin(), index_tensor.shape().end() - 1);
  shape.insert(shape.end(), data.shape().begin() + batch_dims + tuple, data.shape().end());
  TENON_TRY(element_count(shape));
  Tensor& output = context.output(0, data.type(), std::move(shape));
  if (output.size() == 0) return {};

  const std::vector<int64_t> strides = kernels::dense_strides(data.shape());
  const std::vector<int64_t> indices = to_ints(index_tensor);
  const int64_t rows = index_tensor.size() / tuple;
  const int64_t rows_per_batch = rows / batches;
  const int64_t batch_stride = data.size() / batches;
  const int64_t block = output.size() / rows;
  std::vector<int64_t> offsets(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    int64_t offset = row / rows_per_batch * batch_stride;
    for (int64_t k = 0; k < tuple; ++k) {
      auto axis = static_cast<size_t>(batch_dims + k);
      int64_t index = indices[static_cast<size_t>(row * tuple + k)];
      const int64_t dim = data.dim(axis);
      if (index < -dim || index >= dim)
        return fail(ErrorCode::kInvalidModel, "index {} is outside a dimension of {}", index, dim);
      offset += (index < 0 ? index + dim : index) * strides[axis];
    }
    offsets[static_cast<size_t>(row)] = offset;
  }
  by_width(data.type(), [&]<class T>(std::type_identity<T>) {
    context.parallel_for(rows, std::max<int64_t>(1, 4096 / block), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        std::copy_n(data.data<T>() + offsets[static_cast<size_t>(row)], block,
                    output.mutable_data<T>() + row * block);
    });
  });
  return {};
}

Status emit(EmitContext& context) {
  if (context.opset() >= 12 || context.attributes().integer("batch_dims") == 0)
    return emit_unchanged(context);
  return context.unsupported(12, "batch_dims other than 0");
}

}  // namespace

constinit const OpDef kGatherND{.name = "GatherND", .infer = infer, .reference = reference, .emit = emit};

}  // namespace tenon::ops
