// DepthToSpace and SpaceToDepth (https://onnx.ai/onnx/operators/onnx__DepthToSpace.html). DepthToSpace has a
// mode from version 11 on, SpaceToDepth from 28 on; before, both mean DCR.
#include <array>

#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

struct Blocks {
  int64_t size;
  bool crd;
};

Result<Blocks> read_blocks(const Attributes& attributes) {
  const int64_t size = attributes.integer("blocksize");
  if (size < 1 || size > 1 << 20) return fail(ErrorCode::kInvalidModel, "blocksize is {}", size);
  const std::string mode = attributes.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") return fail(ErrorCode::kInvalidModel, "mode is '{}'", mode);
  return Blocks{size, mode == "CRD"};
}

Result<SymShape> spread_shape(const Blocks& blocks, const SymShape& x, bool to_space) {
  if (x.size() != 4) return fail(ErrorCode::kInvalidModel, "the input has rank {}, expected 4", x.size());
  const int64_t area = blocks.size * blocks.size;
  auto whole = [&](const SymInt& size, int64_t divisor) {
    auto known = size.constant();
    return !known || *known % divisor == 0;
  };
  if (to_space ? !whole(x[1], area) : !(whole(x[2], blocks.size) && whole(x[3], blocks.size)))
    return fail(ErrorCode::kInvalidModel, "the shape {} does not divide into blocks of {}",
                tenon::to_string(x), blocks.size);
  if (to_space) return SymShape{x[0], floor_div(x[1], area), x[2] * blocks.size, x[3] * blocks.size};
  return SymShape{x[0], x[1] * area, floor_div(x[2], blocks.size), floor_div(x[3], blocks.size)};
}

Status infer_spread(InferContext& context, bool to_space) {
  const SymShape* x = context.shape(0);
  if (!x) {
    context.set_output(0, context.element(0));
    return {};
  }
  const Blocks blocks = TENON_TRY(read_blocks(context.attributes()));
  context.set_output(0, context.element(0), TENON_TRY(spread_shape(blocks, *x, to_space)));
  return {};
}
Status infer_to_space(InferContext& context) {
  return infer_spread(context, true);
}
Status infer_to_depth(InferContext& context) {
  return infer_spread(context, false);
}

// Calls move(deep, wide) for each element: its position in the tensor with the larger depth and in the one
// with the larger planes.
template <class Move>
void for_each_pair(const Blocks& blocks, const Shape& deep, const Shape& wide, Move move) {
  const int64_t b = blocks.size, channels = wide[1];
  int64_t position = 0;
  for (int64_t n = 0; n < wide[0]; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t y = 0; y < wide[2]; ++y)
        for (int64_t x = 0; x < wide[3]; ++x, ++position) {
          const int64_t block = y % b * b + x % b;
          const int64_t depth = blocks.crd ? c * b * b + block : block * channels + c;
          move(((n * deep[1] + depth) * deep[2] + y / b) * deep[3] + x / b, position);
        }
}

template <class T>
void spread(const Blocks& blocks, const Tensor& x, Tensor& y, bool to_space) {
  const T* from = x.data<T>();
  T* to = y.mutable_data<T>();
  if (to_space)
    for_each_pair(blocks, x.shape(), y.shape(), [&](int64_t deep, int64_t wide) { to[wide] = from[deep]; });
  else
    for_each_pair(blocks, y.shape(), x.shape(), [&](int64_t deep, int64_t wide) { to[deep] = from[wide]; });
}

Status compute(KernelContext& context, bool to_space) {
  const Tensor& x = context.input(0);
  const Blocks blocks = TENON_TRY(read_blocks(context.attributes()));
  const SymShape shape = TENON_TRY(spread_shape(blocks, to_sym(x.shape()), to_space));
  Tensor& y = context.output(0, x.type(), *constant_shape(shape));
  if (x.is_string()) {
    spread<std::string>(blocks, x, y, to_space);
    return {};
  }
  switch (element_size(x.type())) {
    case 1:
      spread<uint8_t>(blocks, x, y, to_space);
      break;
    case 2:
      spread<uint16_t>(blocks, x, y, to_space);
      break;
    case 4:
      spread<uint32_t>(blocks, x, y, to_space);
      break;
    case 8:
      spread<uint64_t>(blocks, x, y, to_space);
      break;
    default:
      spread<std::array<uint64_t, 2>>(blocks, x, y, to_space);
  }
  return {};
}
Status to_space(KernelContext& context) {
  return compute(context, true);
}
Status to_depth(KernelContext& context) {
  return compute(context, false);
}

// Reshape, Transpose, Reshape, for an opset without the mode. The batch size is copied (0), one more size may
// be unknown.
Status emit_crd(EmitContext& context, bool to_space, int needs_opset) {
  const Blocks blocks = TENON_TRY(read_blocks(context.attributes()));
  const int64_t b = blocks.size;
  if (!context.input_type(0).shape || context.input_type(0).shape->size() != 4)
    return context.unsupported(needs_opset, "the rank is not known");
  const SymShape& x = *context.input_type(0).shape;
  const SymShape y = TENON_TRY(spread_shape(blocks, x, to_space));
  const auto channels = (to_space ? y : x)[1].constant();
  const SymShape& small = to_space ? x : y;  // the shape with the smaller planes
  const SymShape& large = to_space ? y : x;
  auto size = [](const SymInt& dim) { return dim.constant().value_or(-1); };
  if (!channels || (!small[2].is_constant() && !small[3].is_constant()))
    return context.unsupported(needs_opset, "its sizes are not known");
  std::vector<int64_t> split, merged;
  if (to_space) {
    split = {0, *channels, b, b, size(small[2]), size(small[3])};
    merged = {0, *channels, size(large[2]), size(large[3])};
  } else {
    split = {0, *channels, size(small[2]), b, size(small[3]), b};
    merged = {0, *channels * b * b, size(small[2]), size(small[3])};
  }
  const std::vector<int64_t> permutation =
      to_space ? std::vector<int64_t>{0, 1, 4, 2, 5, 3} : std::vector<int64_t>{0, 1, 3, 5, 2, 4};
  const std::string blocked = TENON_TRY(
      context.add("Reshape", {context.input(0), context.constant(Tensor::from_ints(split), "shape")}));
  const std::string turned = TENON_TRY(context.add("Transpose", {blocked}, {{"perm", permutation}}));
  return context.finish("Reshape", {turned, context.constant(Tensor::from_ints(merged), "shape")});
}

Status emit_spread(EmitContext& context, bool to_space) {
  const int mode_since = to_space ? 11 : 28;
  if (context.opset() >= mode_since) return emit_unchanged(context);
  if (context.attributes().string("mode") == "CRD") return emit_crd(context, to_space, mode_since);
  Attributes attributes = context.attributes();
  attributes.erase("mode");
  return context.finish(op_name(context.node().op), context.inputs(), attributes);
}
Status emit_to_space(EmitContext& context) {
  return emit_spread(context, true);
}
Status emit_to_depth(EmitContext& context) {
  return emit_spread(context, false);
}

}  // namespace

constinit const OpDef kDepthToSpace{
    .name = "DepthToSpace",
    .infer = infer_to_space,
    .reference = to_space,
    .emit = emit_to_space,
};

constinit const OpDef kSpaceToDepth{
    .name = "SpaceToDepth",
    .infer = infer_to_depth,
    .reference = to_depth,
    .emit = emit_to_depth,
};

}  // namespace tenon::ops
