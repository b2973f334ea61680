// OneHot: each index as a vector that is "on" at the index and "off" elsewhere.
// https://onnx.ai/onnx/operators/onnx__OneHot.html
#include <algorithm>

#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* indices = context.shape(0);
  context.set_output(0, context.element(2));
  if (indices == nullptr) return {};
  SymShape shape = *indices;
  const int64_t axis = TENON_TRY(
      normalize_axis(context.attributes().integer("axis", -1), static_cast<int64_t>(shape.size()) + 1));
  SymInt depth = context.fresh_symbol();
  if (auto elements = context.elements(1); elements && elements->size() == 1) depth = (*elements)[0];
  if (const Tensor* constant = context.constant(1); constant != nullptr && constant->size() == 1)
    depth = load_element<int64_t>(*constant, 0);
  if (auto value = depth.constant(); value && *value < 0)
    return fail(ErrorCode::kInvalidModel, "the depth is {}", *value);
  shape.insert(shape.begin() + axis, depth);
  context.set_output(0, context.element(2), std::move(shape));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& indices = context.input(0);
  const Tensor& values = context.input(2);
  if (context.input(1).size() != 1 || values.size() != 2)
    return fail(ErrorCode::kInvalidModel, "depth has {} elements and values {}, not 1 and 2",
                context.input(1).size(), values.size());
  const auto depth = load_element<int64_t>(context.input(1), 0);
  if (depth < 0) return fail(ErrorCode::kInvalidModel, "the depth is {}", depth);
  Shape shape = indices.shape();
  const int64_t axis =
      TENON_TRY(normalize_axis(context.attributes().integer("axis", -1), indices.rank() + 1));
  int64_t inner = 1;
  for (size_t i = static_cast<size_t>(axis); i < shape.size(); ++i) inner *= shape[i];
  shape.insert(shape.begin() + axis, depth);
  TENON_TRY(element_count(shape));
  Tensor& output = context.output(0, values.type(), std::move(shape));
  if (output.size() == 0) return {};
  std::vector<int64_t> places(static_cast<size_t>(indices.size()));
  if (is_float(indices.type())) {
    std::vector<double> real = to_doubles(indices);
    for (size_t i = 0; i < real.size(); ++i)
      places[i] = real[i] > -1e18 && real[i] < 1e18 ? static_cast<int64_t>(real[i]) : depth;
  } else {
    places = to_ints(indices);
  }
  by_width(values.type(), [&]<class T>(std::type_identity<T>) {
    T* out = output.mutable_data<T>();
    std::fill_n(out, output.size(), values.data<T>()[0]);
    for (size_t i = 0; i < places.size(); ++i) {
      // Negative indices count from the end; those outside leave the vector "off".
      const int64_t place = places[i] < 0 ? places[i] + depth : places[i];
      if (place < 0 || place >= depth) continue;
      const auto k = static_cast<int64_t>(i);
      out[(k / inner * depth + place) * inner + k % inner] = values.data<T>()[1];
    }
  });
  return {};
}

}  // namespace

constinit const OpDef kOneHot{.name = "OneHot", .infer = infer, .reference = reference};

}  // namespace tenon::ops
