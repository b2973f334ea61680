// TensorScatter: updates written into a cache along its sequence axis, at a place for each batch item.
// https://onnx.ai/onnx/operators/onnx__TensorScatter.html
#include <algorithm>

#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  context.set_output(0, context.type(0));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& cache = context.input(0);
  const Tensor& update = context.input(1);
  const auto axis =
      static_cast<size_t>(TENON_TRY(normalize_axis(context.attributes().integer("axis", -2), cache.rank())));
  const std::string mode = context.attributes().string("mode", "linear");
  if (mode != "linear" && mode != "circular") return fail(ErrorCode::kInvalidModel, "the mode is '{}'", mode);
  bool fits = axis != 0 && update.shape().size() == cache.shape().size();
  for (size_t i = 0; fits && i < cache.shape().size(); ++i)
    fits = i == axis ? update.dim(i) <= cache.dim(i) : update.dim(i) == cache.dim(i);
  if (!fits)
    return fail(ErrorCode::kInvalidModel, "an update of shape {} for a cache of shape {}, along axis {}",
                to_string(update.shape()), to_string(cache.shape()), axis);
  const int64_t batches = cache.dim(0), places = cache.dim(axis), length = update.dim(axis);
  std::vector<int64_t> starts(static_cast<size_t>(batches), 0);
  if (context.has_input(2)) starts = to_ints(context.input(2));
  if (static_cast<int64_t>(starts.size()) != batches)
    return fail(ErrorCode::kInvalidModel, "{} write indices for a batch of {}", starts.size(), batches);
  for (int64_t& start : starts) {
    if (start < 0 || (mode == "linear" && start > places - length))
      return fail(ErrorCode::kInvalidModel, "{} positions written from {} on into a cache of {}", length,
                  start, places);
    if (places > 0) start %= places;
  }
  Tensor output = cache.clone();
  context.set_output(0, output);
  if (update.size() == 0) return {};
  int64_t block = 1, rows = 1;
  for (size_t i = axis + 1; i < cache.shape().size(); ++i) block *= cache.dim(i);
  for (size_t i = 0; i < axis; ++i) rows *= cache.dim(i);
  by_width(cache.type(), [&]<class T>(std::type_identity<T>) {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t start = starts[static_cast<size_t>(row / (rows / batches))];
      for (int64_t k = 0; k < length; ++k)
        std::copy_n(update.data<T>() + (row * length + k) * block, block,
                    output.mutable_data<T>() + (row * places + (start + k) % places) * block);
    }
  });
  return {};
}

}  // namespace

constinit const OpDef kTensorScatter{.name = "TensorScatter", .infer = infer, .reference = reference};

}  // namespace tenon::ops
