// CenterCropPad (https://onnx.ai/onnx/operators/onnx__CenterCropPad.html): cuts or pads axes around their
// middle; an odd element more is cut at the end and padded at the end.
#include <algorithm>
#include <cstring>

#include "ops/core/op_def.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Result<std::vector<size_t>> read_axes(const Attributes& attributes, size_t rank) {
  std::vector<size_t> axes;
  for (int64_t axis : attributes.integers("axes"))
    axes.push_back(static_cast<size_t>(TENON_TRY(normalize_axis(axis, static_cast<int64_t>(rank)))));
  if (axes.empty())
    for (size_t i = 0; i < rank; ++i) axes.push_back(i);
  return axes;
}

Status infer(InferContext& context) {
  const SymShape* x = context.shape(0);
  if (!x) {
    context.set_output(0, context.element(0));
    return {};
  }
  const std::vector<size_t> axes = TENON_TRY(read_axes(context.attributes(), x->size()));
  const auto target = context.elements(1);
  if (target && target->size() != axes.size())
    return fail(ErrorCode::kInvalidModel, "shape has {} values for {} axes", target->size(), axes.size());
  SymShape shape = *x;
  for (size_t i = 0; i < axes.size(); ++i) shape[axes[i]] = target ? (*target)[i] : context.fresh_symbol();
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

// Where the copied part of an axis begins, in the input and in the output, and its length.
struct Part {
  int64_t from = 0, to = 0, length = 0;
};

Part centred(int64_t size, int64_t target) {
  if (target < size) return {(size - target) / 2, 0, target};
  return {0, (target - size) / 2, size};
}

Status reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  const std::vector<size_t> axes = TENON_TRY(read_axes(context.attributes(), x.shape().size()));
  const std::vector<int64_t> target = to_ints(context.input(1));
  if (target.size() != axes.size())
    return fail(ErrorCode::kInvalidModel, "shape has {} values for {} axes", target.size(), axes.size());
  Shape shape = x.shape();
  for (size_t i = 0; i < axes.size(); ++i) shape[axes[i]] = target[i];
  TENON_TRY(element_count(shape));
  Tensor& y = context.output(0, x.type(), shape);
  if (!x.is_string()) std::memset(y.mutable_raw(), 0, y.bytes());
  std::vector<Part> parts;
  std::vector<int64_t> counts;
  for (size_t i = 0; i < shape.size(); ++i) {
    parts.push_back(centred(x.dim(i), shape[i]));
    counts.push_back(parts.back().length);
  }
  if (std::find(counts.begin(), counts.end(), 0) != counts.end()) return {};
  const std::vector<int64_t> from = row_major_strides(x.shape()), to = row_major_strides(shape);
  const size_t bytes = element_size(x.type());
  std::vector<int64_t> index(shape.size(), 0);
  do {
    int64_t source = 0, out = 0;
    for (size_t i = 0; i < index.size(); ++i) {
      source += (parts[i].from + index[i]) * from[i];
      out += (parts[i].to + index[i]) * to[i];
    }
    if (x.is_string())
      y.mutable_data<std::string>()[out] = x.data<std::string>()[source];
    else
      std::memcpy(y.mutable_raw() + static_cast<size_t>(out) * bytes,
                  x.raw() + static_cast<size_t>(source) * bytes, bytes);
  } while (next_index(index, counts));
  return {};
}

// Slice and Pad, for sizes that are known.
Status emit(EmitContext& context) {
  if (context.opset() >= 18) return emit_unchanged(context);
  const Tensor* shape_tensor = context.constant(1);
  const auto& shape = context.input_type(0).shape;
  const auto known = shape ? constant_shape(*shape) : std::nullopt;
  if (!shape_tensor || !known || context.opset() < 11)
    return context.unsupported(18, "its sizes are not known");
  const std::vector<size_t> axes = TENON_TRY(read_axes(context.attributes(), known->size()));
  const std::vector<int64_t> target = to_ints(*shape_tensor);
  if (target.size() != axes.size()) return fail(ErrorCode::kInvalidModel, "shape does not fit axes");
  std::vector<int64_t> starts(known->size(), 0), ends = *known, pads(2 * known->size(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const Part part = centred((*known)[axes[i]], target[i]);
    starts[axes[i]] = part.from;
    ends[axes[i]] = part.from + part.length;
    pads[axes[i]] = part.to;
    pads[known->size() + axes[i]] = target[i] - part.to - part.length;
  }
  const std::string cut =
      TENON_TRY(context.add("Slice", {context.input(0), context.constant(Tensor::from_ints(starts), "starts"),
                                      context.constant(Tensor::from_ints(ends), "ends")}));
  return context.finish("Pad", {cut, context.constant(Tensor::from_ints(pads), "pads")},
                        {{"mode", std::string("constant")}});
}

}  // namespace

constinit const OpDef kCenterCropPad{
    .name = "CenterCropPad",
    .infer = infer,
    .reference = reference,
    .emit = emit,
};

}  // namespace tenon::ops
