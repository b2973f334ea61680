// ScatterND: slices of updates written into a tensor at the places of index tuples.
// https://onnx.ai/onnx/operators/onnx__ScatterND.html
#include <algorithm>

#include "kernels/strided_copy.h"
#include "ops/core/op_def.h"
#include "ops/scatter/scatter.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* data = context.shape(0);
  const SymShape* indices = context.shape(1);
  if (data != nullptr && indices != nullptr) {
    if (data->empty() || indices->empty())
      return fail(ErrorCode::kInvalidModel, "data and indices must have a dimension");
    if (auto tuple = indices->back().constant(); tuple && *tuple > static_cast<int64_t>(data->size()))
      return fail(ErrorCode::kInvalidModel, "tuples of {} indices into data of rank {}", *tuple,
                  data->size());
  }
  context.set_output(0, context.type(0));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& index_tensor = context.input(1);
  const Tensor& updates = context.input(2);
  ScatterReduction reduction = TENON_TRY(scatter_reduction(context.attributes().string("reduction", "none")));
  if (data.rank() < 1 || index_tensor.rank() < 1)
    return fail(ErrorCode::kInvalidModel, "data and indices must have a dimension");
  const int64_t tuple = index_tensor.shape().back();
  if (tuple > data.rank())
    return fail(ErrorCode::kInvalidModel, "tuples of {} indices into data of rank {}", tuple, data.rank());
  Shape shape(index_tensor.shape().begin(), index_tensor.shape().end() - 1);
  const int64_t rows = TENON_TRY(element_count(shape));
  shape.insert(shape.end(), data.shape().begin() + tuple, data.shape().end());
  if (shape != updates.shape())
    return fail(ErrorCode::kInvalidModel, "updates have shape {}, not {}", to_string(updates.shape()),
                to_string(shape));
  const std::vector<int64_t> strides = kernels::dense_strides(data.shape());
  const std::vector<int64_t> indices = to_ints(index_tensor);
  std::vector<int64_t> targets(static_cast<size_t>(rows), 0);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t k = 0; k < tuple; ++k) {
      const int64_t dim = data.dim(static_cast<size_t>(k));
      int64_t index = indices[static_cast<size_t>(row * tuple + k)];
      if (index < -dim || index >= dim)
        return fail(ErrorCode::kInvalidModel, "index {} is outside a dimension of {}", index, dim);
      targets[static_cast<size_t>(row)] +=
          (index < 0 ? index + dim : index) * strides[static_cast<size_t>(k)];
    }
  }
  const int64_t block = rows == 0 ? 0 : updates.size() / rows;
  Tensor output = data.clone();
  if (block > 0) TENON_TRY(scatter_blocks(output, updates, targets, block, reduction));
  context.set_output(0, std::move(output));
  return {};
}

}  // namespace

constinit const OpDef kScatterND{
    .name = "ScatterND", .infer = infer, .reference = reference, .emit = emit_scatter};

}  // namespace tenon::ops
