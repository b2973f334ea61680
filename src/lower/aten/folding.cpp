// Operators that move elements between channels, positions and windows: pixel and channel shuffle, im2col and
// col2im, unpooling.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

Status lower_pixel_shuffle(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(x));
  if (rank != 3 && rank != 4)
    return context.unsupported("pixel shuffle of a tensor of rank other than 3 or 4");
  if (rank == 3) x = TENON_TRY(unsqueeze(context, x, {0}));
  const int64_t factor = TENON_TRY(context.args().integer("upscale_factor"));
  const ValueId y =
      TENON_TRY(context.add(Op::kDepthToSpace, {x}, {{"blocksize", factor}, {"mode", std::string("CRD")}}));
  return context.finish(rank == 4 ? Result<ValueId>(y) : squeeze(context, y, {0}));
}

/// A known dimension of a value.
Result<int64_t> fixed(LowerContext& context, ValueId x, size_t axis, std::string_view what) {
  const auto size = TENON_TRY(context.known_shape(x))[axis].constant();
  if (!size) return context.unsupported(fmt::format("{} of dynamic size", what));
  return *size;
}

// [.., C, H, W] to [.., C, H/r, r, W/r, r], to [.., C, r, r, H/r, W/r], to [.., C * r * r, H/r, W/r].
Status lower_pixel_unshuffle(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(x));
  if (rank != 3 && rank != 4)
    return context.unsupported("pixel unshuffle of a tensor of rank other than 3 or 4");
  if (rank == 3) x = TENON_TRY(unsqueeze(context, x, {0}));
  const int64_t r = TENON_TRY(context.args().integer("downscale_factor"));
  const int64_t c = TENON_TRY(fixed(context, x, 1, "channels")),
                h = TENON_TRY(fixed(context, x, 2, "a height")),
                w = TENON_TRY(fixed(context, x, 3, "a width"));
  ValueId y = TENON_TRY(context.add(Op::kReshape, {x, context.ints({0, c, h / r, r, w / r, r})}));
  y = TENON_TRY(permute(context, y, {0, 1, 3, 5, 2, 4}));
  y = TENON_TRY(context.add(Op::kReshape, {y, context.ints({0, c * r * r, h / r, w / r})}));
  return context.finish(rank == 4 ? Result<ValueId>(y) : squeeze(context, y, {0}));
}

Status lower_channel_shuffle(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const int64_t groups = TENON_TRY(context.args().integer("groups"));
  const int64_t channels = TENON_TRY(fixed(context, x, 1, "channels"));
  const std::vector<Size> sizes = TENON_TRY(sizes_of(context, x));
  std::vector<Size> split = sizes;
  split[1] = groups;
  split.insert(split.begin() + 2, Size(channels / groups));
  std::vector<int64_t> order(split.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::swap(order[1], order[2]);
  const ValueId y = TENON_TRY(permute(context, TENON_TRY(reshape(context, x, split)), order));
  return context.finish(reshape(context, y, sizes));
}

struct Blocks {
  std::vector<int64_t> kernel, dilation, padding, stride;
};

Result<Blocks> blocks_of(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  return Blocks{TENON_TRY(args.integers("kernel_size")), TENON_TRY(args.integers("dilation")),
                TENON_TRY(args.integers("padding")), TENON_TRY(args.integers("stride"))};
}

// [N, C, H, W] to [N, C * kh * kw, positions]: one strided slice for each place in the window.
Status lower_im2col(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  const bool batched = TENON_TRY(context.rank(x)) == 4;
  if (!batched) x = TENON_TRY(unsqueeze(context, x, {0}));
  const Blocks b = TENON_TRY(blocks_of(context));
  const int64_t channels = TENON_TRY(fixed(context, x, 1, "channels"));
  if (b.padding[0] != 0 || b.padding[1] != 0) {
    const ValueId pads = context.ints({0, 0, b.padding[0], b.padding[1], 0, 0, b.padding[0], b.padding[1]});
    x = TENON_TRY(context.add(Op::kPad, {x, pads, context.number(context.element(x), 0)},
                              {{"mode", std::string("constant")}}));
  }
  auto part = [&](ValueId from, size_t i, int64_t at) -> Result<ValueId> {
    const int64_t rest = b.dilation[i] * (b.kernel[i] - 1 - at);
    return slice(context, from, static_cast<int64_t>(i) + 2, at * b.dilation[i], rest == 0 ? kToEnd : -rest,
                 b.stride[i]);
  };
  std::vector<ValueId> places;
  for (int64_t y = 0; y < b.kernel[0]; ++y) {
    const ValueId rows = TENON_TRY(part(x, 0, y));
    for (int64_t z = 0; z < b.kernel[1]; ++z)
      places.push_back(TENON_TRY(unsqueeze(context, TENON_TRY(part(rows, 1, z)), {2})));
  }
  ValueId columns = places[0];
  if (places.size() > 1) columns = TENON_TRY(context.add(Op::kConcat, places, {{"axis", int64_t{2}}}));
  const int64_t depth = channels * b.kernel[0] * b.kernel[1];
  columns = TENON_TRY(context.add(Op::kReshape, {columns, context.ints({0, depth, -1})}));
  return context.finish(batched ? Result<ValueId>(columns) : squeeze(context, columns, {0}));
}

Status lower_col2im(LowerContext& context) {
  ValueId x = TENON_TRY(context.tensor("self"));
  const bool batched = TENON_TRY(context.rank(x)) == 3;
  if (!batched) x = TENON_TRY(unsqueeze(context, x, {0}));
  const Blocks b = TENON_TRY(blocks_of(context));
  const ValueId y = TENON_TRY(
      context.add(Op::kCol2Im, {x, TENON_TRY(context.int_vector("output_size")), context.ints(b.kernel)},
                  {{"dilations", b.dilation},
                   {"pads", std::vector<int64_t>{b.padding[0], b.padding[1], b.padding[0], b.padding[1]}},
                   {"strides", b.stride}}));
  return context.finish(batched ? Result<ValueId>(y) : squeeze(context, y, {0}));
}

// Zeros with the elements of x at the places that pooling took them from, counted within each plane.
Status lower_max_unpool(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("self"));
  const auto wanted = TENON_TRY(size_list(context, TENON_TRY(context.args().sym_items("output_size"))));
  const size_t spatial = wanted.size();
  std::vector<Size> shape = TENON_TRY(sizes_of(context, x));
  if (shape.size() <= spatial) return context.unsupported("unpooling of a tensor without channels");
  const size_t lead = shape.size() - spatial;
  Size plane = 1;
  for (const Size& size : wanted) plane = TENON_TRY(combine(context, Op::kMul, plane, size));
  std::vector<Size> flat(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(lead));
  std::vector<Size> full = flat;
  flat.push_back(-1);
  full.push_back(plane);
  const ValueId zeros = TENON_TRY(expand(context, context.number(context.element(x), 0), full));
  const ValueId at = TENON_TRY(reshape(context, TENON_TRY(context.tensor("indices")), flat));
  const ValueId values = TENON_TRY(reshape(context, x, flat));
  const ValueId y = TENON_TRY(
      context.add(Op::kScatterElements, {zeros, at, values}, {{"axis", static_cast<int64_t>(lead)}}));
  full.pop_back();
  full.insert(full.end(), wanted.begin(), wanted.end());
  return context.finish(reshape(context, y, full));
}

constexpr Handler kHandlers[] = {
    {"aten.pixel_shuffle.default", lower_pixel_shuffle},
    {"aten.pixel_unshuffle.default", lower_pixel_unshuffle},
    {"aten.channel_shuffle.default", lower_channel_shuffle},
    {"aten.native_channel_shuffle.default", lower_channel_shuffle},
    {"aten.im2col.default", lower_im2col},
    {"aten.col2im.default", lower_col2im},
    {"aten.max_unpool2d.default", lower_max_unpool},
    {"aten.max_unpool3d.default", lower_max_unpool},
};

}  // namespace

std::span<const Handler> folding_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
