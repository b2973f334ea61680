// Gather: slices of a tensor picked by index along one axis. https://onnx.ai/onnx/operators/onnx__Gather.html
#include <algorithm>

#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "ops/gather/gather.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

Status resolve_indices(std::vector<int64_t>& indices, int64_t dim) {
  for (int64_t& index : indices) {
    if (index < -dim || index >= dim)
      return fail(ErrorCode::kInvalidModel, "index {} is outside a dimension of {}", index, dim);
    if (index < 0) index += dim;
  }
  return {};
}

namespace {

Status infer(InferContext& context) {
  const SymShape* data = context.shape(0);
  const SymShape* indices = context.shape(1);
  if (data == nullptr || indices == nullptr) {
    context.set_output(0, context.element(0));
    return {};
  }
  auto axis =
      TENON_TRY(normalize_axis(context.attributes().integer("axis"), static_cast<int64_t>(data->size())));
  SymShape shape(data->begin(), data->begin() + axis);
  shape.insert(shape.end(), indices->begin(), indices->end());
  shape.insert(shape.end(), data->begin() + axis + 1, data->end());
  context.set_output(0, context.element(0), std::move(shape));

  auto picks = context.known_ints(1);
  if (!picks) return {};
  if (auto dim = (*data)[static_cast<size_t>(axis)].constant()) TENON_TRY(resolve_indices(*picks, *dim));
  auto elements = context.elements(0);
  if (!elements || data->size() != 1 || indices->size() > 1) return {};
  std::vector<SymInt> picked;
  for (int64_t index : *picks) {
    if (index < 0 || index >= static_cast<int64_t>(elements->size())) return {};
    picked.push_back((*elements)[static_cast<size_t>(index)]);
  }
  context.set_elements(0, std::move(picked));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& index_tensor = context.input(1);
  auto axis =
      static_cast<size_t>(TENON_TRY(normalize_axis(context.attributes().integer("axis"), data.rank())));
  std::vector<int64_t> indices = to_ints(index_tensor);
  TENON_TRY(resolve_indices(indices, data.dim(axis)));
  Shape shape(data.shape().begin(), data.shape().begin() + static_cast<ptrdiff_t>(axis));
  shape.insert(shape.end(), index_tensor.shape().begin(), index_tensor.shape().end());
  shape.insert(shape.end(), data.shape().begin() + static_cast<ptrdiff_t>(axis) + 1, data.shape().end());
  TENON_TRY(element_count(shape));
  Tensor& output = context.output(0, data.type(), std::move(shape));
  if (output.size() == 0) return {};
  int64_t block = 1;
  for (size_t i = axis + 1; i < data.shape().size(); ++i) block *= data.dim(i);
  const auto count = static_cast<int64_t>(indices.size());
  const int64_t rows = output.size() / block;
  by_width(data.type(), [&]<class T>(std::type_identity<T>) {
    context.parallel_for(rows, std::max<int64_t>(1, 4096 / block), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t source = row / count * data.dim(axis) + indices[static_cast<size_t>(row % count)];
        std::copy_n(data.data<T>() + source * block, block, output.mutable_data<T>() + row * block);
      }
    });
  });
  return {};
}

}  // namespace

constinit const OpDef kGather{
    .name = "Gather", .infer = infer, .reference = reference, .emit = emit_axis_of_first};

}  // namespace tenon::ops
