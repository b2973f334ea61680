// ReverseSequence: for each batch item, its first elements along the time axis in reverse.
// https://onnx.ai/onnx/operators/onnx__ReverseSequence.html
#include "kernels/strided_copy.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

struct Axes {
  size_t batch, time;
};

Result<Axes> axes_of(const Attributes& attributes, int64_t rank) {
  const int64_t batch = TENON_TRY(normalize_axis(attributes.integer("batch_axis", 1), rank));
  const int64_t time = TENON_TRY(normalize_axis(attributes.integer("time_axis", 0), rank));
  if (batch == time) return fail(ErrorCode::kInvalidModel, "batch_axis and time_axis are both {}", batch);
  return Axes{static_cast<size_t>(batch), static_cast<size_t>(time)};
}

Status infer(InferContext& context) {
  if (const SymShape* shape = context.shape(0))
    TENON_TRY(axes_of(context.attributes(), static_cast<int64_t>(shape->size())));
  context.set_output(0, context.type(0));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  const Axes axes = TENON_TRY(axes_of(context.attributes(), input.rank()));
  const std::vector<int64_t> lengths = to_ints(context.input(1));
  const int64_t times = input.dim(axes.time), batches = input.dim(axes.batch);
  if (static_cast<int64_t>(lengths.size()) != batches)
    return fail(ErrorCode::kInvalidModel, "{} lengths for a batch of {}", lengths.size(), batches);
  for (int64_t length : lengths)
    if (length < 0 || length > times)
      return fail(ErrorCode::kInvalidModel, "a length of {} in a time axis of {}", length, times);
  Tensor& output = context.output(0, input.type(), input.shape());
  const std::vector<int64_t> strides = kernels::dense_strides(input.shape());
  const int64_t time_stride = strides[axes.time];
  by_width(input.type(), [&]<class T>(std::type_identity<T>) {
    context.parallel_for(output.size(), 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t time = i / time_stride % times;
        const int64_t length = lengths[static_cast<size_t>(i / strides[axes.batch] % batches)];
        const int64_t source = time < length ? i + (length - 1 - 2 * time) * time_stride : i;
        output.mutable_data<T>()[i] = input.data<T>()[source];
      }
    });
  });
  return {};
}

}  // namespace

constinit const OpDef kReverseSequence{.name = "ReverseSequence", .infer = infer, .reference = reference};

}  // namespace tenon::ops
