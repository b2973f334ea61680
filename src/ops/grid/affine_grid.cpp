// AffineGrid (https://onnx.ai/onnx/operators/onnx__AffineGrid.html): the grid for GridSample that an affine
// map of the output's coordinates gives.
#include "ops/core/op_def.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* theta = context.shape(0);
  const auto size = context.elements(1);
  std::optional<size_t> axes;  // 2 or 3
  if (size)
    axes = size->size() - std::min<size_t>(size->size(), 2);
  else if (theta && theta->size() == 3 && (*theta)[1].is_constant())
    axes = static_cast<size_t>(*(*theta)[1].constant());
  if (!axes || *axes < 2 || *axes > 3) {
    if (size) return fail(ErrorCode::kInvalidModel, "size has {} values, expected 4 or 5", size->size());
    context.set_output(0, context.element(0));
    return {};
  }
  SymShape shape;
  shape.push_back(theta && theta->size() == 3 ? (*theta)[0] : size ? (*size)[0] : context.fresh_symbol());
  for (size_t i = 0; i < *axes; ++i) shape.push_back(size ? (*size)[i + 2] : context.fresh_symbol());
  shape.emplace_back(static_cast<int64_t>(*axes));
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

// Evenly spaced from -1 to 1: centres of the corner elements (align) or their outer edges.
double coordinate(int64_t i, int64_t size, bool align) {
  const auto x = static_cast<double>(i), n = static_cast<double>(size);
  if (align) return size > 1 ? -1 + 2 * x / (n - 1) : -1;
  return (2 * x + 1) / n - 1;
}

Status reference(KernelContext& context) {
  const Tensor& theta = context.input(0);
  const std::vector<int64_t> size = to_ints(context.input(1));
  if (size.size() != 4 && size.size() != 5)
    return fail(ErrorCode::kInvalidModel, "size has {} values, expected 4 or 5", size.size());
  const size_t axes = size.size() - 2;
  const auto n_axes = static_cast<int64_t>(axes);
  if (theta.shape() != Shape{size[0], n_axes, n_axes + 1})
    return fail(ErrorCode::kInvalidModel, "theta has shape {}, which does not fit size",
                tenon::to_string(theta.shape()));
  const bool align = context.attributes().integer("align_corners") != 0;
  const std::vector<int64_t> sizes(size.begin() + 2, size.end());
  Shape shape = {size[0]};
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  shape.push_back(n_axes);
  TENON_TRY(element_count(shape));
  Tensor& grid = context.output(0, theta.type(), shape);
  if (grid.size() == 0) return {};
  const std::vector<double> matrix = to_doubles(theta);
  std::vector<double> point(axes), mapped(axes);
  int64_t at = 0;
  for (int64_t n = 0; n < size[0]; ++n) {
    const double* rows = matrix.data() + n * n_axes * (n_axes + 1);
    std::vector<int64_t> index(axes, 0);
    do {  // x is the last axis
      for (size_t i = 0; i < axes; ++i) point[axes - 1 - i] = coordinate(index[i], sizes[i], align);
      for (size_t r = 0; r < axes; ++r) {
        mapped[r] = rows[r * (axes + 1) + axes];
        for (size_t c = 0; c < axes; ++c) mapped[r] += rows[r * (axes + 1) + c] * point[c];
      }
      store_elements<double>(grid.type(), grid.mutable_raw(), at, n_axes, mapped.data());
      at += n_axes;
    } while (next_index(index, sizes));
  }
  return {};
}

// Base coordinates times the turned matrix, for sizes that are known.
Status emit(EmitContext& context) {
  if (context.opset() >= 20) return emit_unchanged(context);
  const Tensor* size_tensor = context.constant(1);
  if (!size_tensor) return context.unsupported(20, "its size is computed by the model");
  const std::vector<int64_t> size = to_ints(*size_tensor);
  if (size.size() != 4 && size.size() != 5) return context.unsupported(20);
  const bool align = context.attributes().integer("align_corners") != 0;
  const std::vector<int64_t> sizes(size.begin() + 2, size.end());
  const size_t axes = sizes.size();
  const int64_t points = TENON_TRY(element_count(sizes));
  Tensor base = Tensor::allocate(context.input_type(0).element, {1, points, static_cast<int64_t>(axes) + 1});
  std::vector<int64_t> index(axes, 0);
  std::vector<double> row(axes + 1, 1.0);
  for (int64_t i = 0; i < points; ++i, next_index(index, sizes)) {
    for (size_t axis = 0; axis < axes; ++axis)
      row[axes - 1 - axis] = coordinate(index[axis], sizes[axis], align);
    store_elements<double>(base.type(), base.mutable_raw(), i * static_cast<int64_t>(row.size()),
                           static_cast<int64_t>(row.size()), row.data());
  }
  const std::string turned =
      TENON_TRY(context.add("Transpose", {context.input(0)}, {{"perm", std::vector<int64_t>{0, 2, 1}}}));
  const std::string mapped =
      TENON_TRY(context.add("MatMul", {context.constant(std::move(base), "base_grid"), turned}));
  std::vector<int64_t> shape = {-1};
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  shape.push_back(static_cast<int64_t>(axes));
  return context.finish("Reshape", {mapped, context.constant(Tensor::from_ints(shape), "shape")});
}

}  // namespace

constinit const OpDef kAffineGrid{
    .name = "AffineGrid",
    .infer = infer,
    .reference = reference,
    .emit = emit,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

}  // namespace tenon::ops
