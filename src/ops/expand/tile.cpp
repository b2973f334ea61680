// Tile: a tensor repeated along its dimensions. https://onnx.ai/onnx/operators/onnx__Tile.html
#include "kernels/strided_copy.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  context.set_output(0, context.element(0));
  if (input == nullptr) return {};
  auto repeats = context.elements(1);
  if (!repeats) {
    context.set_output(0, context.element(0), context.fresh_shape(input->size()));
    return {};
  }
  if (repeats->size() != input->size())
    return fail(ErrorCode::kInvalidModel, "{} repeats for a tensor of rank {}", repeats->size(),
                input->size());
  SymShape shape = *input;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (auto value = (*repeats)[i].constant(); value && *value < 0)
      return fail(ErrorCode::kInvalidModel, "a dimension is to be repeated {} times", *value);
    shape[i] *= (*repeats)[i];
  }
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  std::vector<int64_t> repeats = to_ints(context.input(1));
  if (repeats.size() != input.shape().size())
    return fail(ErrorCode::kInvalidModel, "{} repeats for a tensor of rank {}", repeats.size(), input.rank());
  // Each dimension d becomes the pair (repeat, d), the first with stride 0 in the source.
  Shape pairs, shape;
  std::vector<int64_t> strides;
  const std::vector<int64_t> dense = kernels::dense_strides(input.shape());
  for (size_t i = 0; i < repeats.size(); ++i) {
    int64_t dim = 0;
    if (repeats[i] < 0 || __builtin_mul_overflow(repeats[i], input.dim(i), &dim))
      return fail(ErrorCode::kInvalidModel, "a dimension of {} is to be repeated {} times", input.dim(i),
                  repeats[i]);
    shape.push_back(dim);
    pairs.insert(pairs.end(), {repeats[i], input.dim(i)});
    strides.insert(strides.end(), {0, dense[i]});
  }
  TENON_TRY(element_count(shape));
  Tensor& output = context.output(0, input.type(), std::move(shape));
  kernels::StridedCopy(input.type(), pairs, strides, kernels::dense_strides(pairs))
      .run(input.raw(), output.mutable_raw());
  return {};
}

// Version 1 repeated one axis, both given by scalars.
Status upgrade(UpgradeContext& context) {
  if (context.since_version() >= 6) return upgrade_unchanged(context);
  const Tensor* tiles = context.constant(1);
  const Tensor* axis = context.constant(2);
  auto rank = rank_of(context.builder().type(context.input(0)));
  if (tiles == nullptr || axis == nullptr || tiles->size() != 1 || axis->size() != 1 || !rank)
    return fail(ErrorCode::kUnsupported, "Tile of opset 1 whose tiles, axis or rank are not constant");
  std::vector<int64_t> repeats(static_cast<size_t>(*rank), 1);
  repeats[static_cast<size_t>(TENON_TRY(normalize_axis(to_ints(*axis)[0], *rank)))] = to_ints(*tiles)[0];
  return context.finish(Op::kTile, {context.input(0), context.builder().constant_ints(repeats)}, {});
}

}  // namespace

constinit const OpDef kTile{.name = "Tile", .infer = infer, .reference = reference, .upgrade = upgrade};

}  // namespace tenon::ops
