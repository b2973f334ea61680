// Pooling over windows, and over windows that adapt to a size.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

std::vector<int64_t> spread(std::vector<int64_t> values, size_t count) {
  if (values.size() == 1) values.resize(count, values[0]);
  return values;
}

// How many dimensions an operator pools: the digit in its name.
size_t spatial_of(const LowerContext& context) {
  for (char c : context.args().op())
    if (c >= '1' && c <= '3') return static_cast<size_t>(c - '0');
  return 2;
}

struct Window {
  ValueId x = kNoValue;
  bool batched = true;
  Attributes attributes;
};

// What max and average pooling have in common. The input gets the batch dimension that ONNX asks for.
Result<Window> window_of(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  const size_t spatial = spatial_of(context);
  Window window;
  window.x = TENON_TRY(context.tensor("self"));
  window.batched = TENON_TRY(context.rank(window.x))
  == static_cast<int64_t>(spatial) + 2;
  if (!window.batched) window.x = TENON_TRY(unsqueeze(context, window.x, {0}));
  const auto kernel = spread(TENON_TRY(args.integers("kernel_size")), spatial);
  auto stride = spread(TENON_TRY(args.integers("stride")), spatial);
  if (stride.empty()) stride = kernel;
  const auto padding = spread(TENON_TRY(args.integers("padding")), spatial);
  std::vector<int64_t> pads(padding);
  pads.insert(pads.end(), padding.begin(), padding.end());
  window.attributes.set("kernel_shape", kernel);
  window.attributes.set("strides", stride);
  window.attributes.set("pads", pads);
  window.attributes.set("ceil_mode", int64_t { TENON_TRY(args.boolean("ceil_mode")) });
  return window;
}

Result<ValueId> unbatched(LowerContext& context, const Window& window, ValueId y) {
  return window.batched ? Result<ValueId>(y) : squeeze(context, y, {0});
}

Status lower_max_pool(LowerContext& context) {
  Window window = TENON_TRY(window_of(context));
  window.attributes.set("dilations",
                        spread(TENON_TRY(context.args().integers("dilation")), spatial_of(context)));
  const ValueId y = TENON_TRY(context.add(Op::kMaxPool, {window.x}, window.attributes));
  return context.finish(unbatched(context, window, y));
}

// PyTorch counts indices within one channel's plane, ONNX within the whole tensor.
Status lower_max_pool_with_indices(LowerContext& context) {
  Window window = TENON_TRY(window_of(context));
  window.attributes.set("dilations",
                        spread(TENON_TRY(context.args().integers("dilation")), spatial_of(context)));
  auto outputs = TENON_TRY(context.add_multi(Op::kMaxPool, {window.x}, window.attributes, 2));
  const SymShape shape = TENON_TRY(context.known_shape(window.x));
  SymInt plane = 1;
  for (size_t i = 2; i < shape.size(); ++i) plane *= shape[i];
  const auto known = plane.constant();
  if (!known) return context.unsupported("the indices of max pooling need fixed spatial dimensions");
  const ValueId indices =
      TENON_TRY(context.add(Op::kMod, {outputs[1], context.builder().constant(Tensor::scalar(*known))}));
  return context.finish({
    TENON_TRY(unbatched(context, window, outputs[0]))
    , TENON_TRY(unbatched(context, window, indices))
  });
}

Status lower_avg_pool(LowerContext& context) {
  Window window = TENON_TRY(window_of(context));
  const auto divisor =
      context.args().has("divisor_override") ? TENON_TRY(context.args().optional_integer("divisor_override"))
                           : std::nullopt;
                           const bool count_padding =
                               divisor || TENON_TRY(context.args().boolean("count_include_pad"));
                           window.attributes.set("count_include_pad", int64_t{count_padding});
                           if (divisor && window.attributes.integer("ceil_mode") != 0)
                             return context.unsupported(
                                 "average pooling with a divisor of its own and ceil_mode");
                           ValueId y =
                               TENON_TRY(context.add(Op::kAveragePool, {window.x}, window.attributes));
                           if (divisor) {
                             double elements = 1;
                             for (int64_t size : window.attributes.integers("kernel_shape"))
                               elements *= static_cast<double>(size);
                             Math m(context.builder());
                             y = TENON_TRY(m.mul(y, m.number(y, elements / static_cast<double>(*divisor))));
                           }
                           return context.finish(unbatched(context, window, y));
}

// Window i of n over `size` elements covers [floor(i * size / n), ceil((i + 1) * size / n)).
Result<ValueId> pool_axis(LowerContext& context, Op reduce, ValueId x, int64_t axis, int64_t size,
                          int64_t n) {
  Math m(context.builder());
  std::vector<ValueId> parts;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t begin = i * size / n, end = ((i + 1) * size + n - 1) / n;
    const ValueId part = TENON_TRY(slice(context, x, axis, begin, end));
    parts.push_back(TENON_TRY(m.reduce(reduce, part, {axis}, true)));
  }
  if (parts.size() == 1) return parts[0];
  return context.add(Op::kConcat, parts, {{"axis", axis}});
}

Status adaptive_pool(LowerContext& context, Op window_op, Op global_op, Op reduce) {
  const size_t spatial = spatial_of(context);
  ValueId x = TENON_TRY(context.tensor("self"));
  const bool batched = TENON_TRY(context.rank(x))
  == static_cast<int64_t>(spatial) + 2;
  if (!batched) x = TENON_TRY(unsqueeze(context, x, {0}));
  const SymShape shape = TENON_TRY(context.known_shape(x));
  const SymShape wanted = TENON_TRY(context.args().sym_integers("output_size"));
  bool to_one = true, even = true;
  std::vector<int64_t> sizes, kernel;
  for (size_t i = 0; i < spatial; ++i) {
    const SymInt& want = wanted.size() == 1 ? wanted[0] : wanted[i];
    const auto n = want == shape[i + 2] ? shape[i + 2].constant() : want.constant();
    to_one = to_one && want.is(1);
    const auto size = shape[i + 2].constant();
    if (!to_one && (!n || !size || *n <= 0))
      return context.unsupported("adaptive pooling to more than one element needs fixed spatial dimensions");
    sizes.push_back(n.value_or(1));
    kernel.push_back(n && size ? *size / *n : 1);
    even = even && n && size && *size % *n == 0;
  }
  ValueId y;
  if (to_one) {
    y = TENON_TRY(context.add(global_op, {x}));
  } else if (even) {
    y = TENON_TRY(context.add(window_op, {x}, {{"kernel_shape", kernel}, {"strides", kernel}}));
  } else {
    y = x;
    for (size_t i = 0; i < spatial; ++i)
      y = TENON_TRY(
          pool_axis(context, reduce, y, static_cast<int64_t>(i) + 2, *shape[i + 2].constant(), sizes[i]));
  }
  if (!batched) y = TENON_TRY(squeeze(context, y, {0}));
  return context.finish(y);
}

Status lower_adaptive_avg_pool(LowerContext& context) {
  return adaptive_pool(context, Op::kAveragePool, Op::kGlobalAveragePool, Op::kReduceMean);
}

constexpr Handler kHandlers[] = {
    {"aten.max_pool1d.default", lower_max_pool},
    {"aten.max_pool2d.default", lower_max_pool},
    {"aten.max_pool3d.default", lower_max_pool},
    {"aten.max_pool2d_with_indices.default", lower_max_pool_with_indices},
    {"aten.max_pool3d_with_indices.default", lower_max_pool_with_indices},
    {"aten.avg_pool1d.default", lower_avg_pool},
    {"aten.avg_pool2d.default", lower_avg_pool},
    {"aten.avg_pool3d.default", lower_avg_pool},
    {"aten.adaptive_avg_pool1d.default", lower_adaptive_avg_pool},
    {"aten.adaptive_avg_pool2d.default", lower_adaptive_avg_pool},
    {"aten.adaptive_avg_pool3d.default", lower_adaptive_avg_pool},
    {"aten._adaptive_avg_pool2d.default", lower_adaptive_avg_pool},
    {"aten._adaptive_avg_pool3d.default", lower_adaptive_avg_pool},
};

}  // namespace

std::span<const Handler> pooling_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
