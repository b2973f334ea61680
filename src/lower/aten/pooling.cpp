// Pooling over windows, and over windows that adapt to a size.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"

namespace tenon::lower {

namespace {

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
  window.batched = TENON_TRY(context.rank(window.x)) == static_cast<int64_t>(spatial) + 2;
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
  window.attributes.set("ceil_mode", int64_t{TENON_TRY(args.boolean("ceil_mode"))});
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

struct PooledMaxima {
  ValueId values, places;
};

// PyTorch counts indices within one channel's plane, ONNX within the whole tensor.
Result<PooledMaxima> maxima_with_places(LowerContext& context, ValueId x, const Attributes& attributes) {
  auto outputs = TENON_TRY(context.add_multi(Op::kMaxPool, {x}, attributes, 2));
  const std::vector<Size> sizes = TENON_TRY(sizes_of(context, x));
  Size plane = 1;
  for (size_t i = 2; i < sizes.size(); ++i) plane = TENON_TRY(combine(context, Op::kMul, plane, sizes[i]));
  const ValueId elements = TENON_TRY(size_scalar(context, plane));
  return PooledMaxima{outputs[0], TENON_TRY(context.add(Op::kMod, {outputs[1], elements}))};
}

// The indices are made only if something reads them.
Status lower_max_pool_with_indices(LowerContext& context) {
  Window window = TENON_TRY(window_of(context));
  window.attributes.set("dilations",
                        spread(TENON_TRY(context.args().integers("dilation")), spatial_of(context)));
  if (!context.is_used(1)) {
    const ValueId y = TENON_TRY(context.add(Op::kMaxPool, {window.x}, window.attributes));
    return context.finish({TENON_TRY(unbatched(context, window, y)), kNoValue});
  }
  const PooledMaxima maxima = TENON_TRY(maxima_with_places(context, window.x, window.attributes));
  const ValueId values = TENON_TRY(unbatched(context, window, maxima.values));
  return context.finish({values, TENON_TRY(unbatched(context, window, maxima.places))});
}

Status lower_avg_pool(LowerContext& context) {
  Window window = TENON_TRY(window_of(context));
  const auto divisor = context.args().has("divisor_override")
                           ? TENON_TRY(context.args().optional_integer("divisor_override"))
                           : std::nullopt;
  const bool count_padding = divisor || TENON_TRY(context.args().boolean("count_include_pad"));
  window.attributes.set("count_include_pad", int64_t{count_padding});
  if (divisor && window.attributes.integer("ceil_mode") != 0)
    return context.unsupported("average pooling with a divisor of its own and ceil_mode");
  ValueId y = TENON_TRY(context.add(Op::kAveragePool, {window.x}, window.attributes));
  if (divisor) {
    double elements = 1;
    for (int64_t size : window.attributes.integers("kernel_shape")) elements *= static_cast<double>(size);
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

// An input with its batch, and the sizes that it is to be pooled to.
struct Adaptive {
  ValueId x = kNoValue;
  bool batched = true;
  bool to_one = true, even = true;     ///< All sizes are 1; all divide the input's.
  std::vector<int64_t> input, output;  ///< Along the spatial axes; input may be unknown (0) when to_one.
};

Result<Adaptive> adaptive_of(LowerContext& context) {
  const size_t spatial = spatial_of(context);
  Adaptive a;
  a.x = TENON_TRY(context.tensor("self"));
  const int64_t rank = TENON_TRY(context.rank(a.x));
  a.batched = rank == static_cast<int64_t>(spatial) + 2;
  if (!a.batched) a.x = TENON_TRY(unsqueeze(context, a.x, {0}));
  const SymShape shape = TENON_TRY(context.known_shape(a.x));
  const SymShape wanted = TENON_TRY(context.args().sym_integers("output_size"));
  for (size_t i = 0; i < spatial; ++i) {
    const SymInt& want = wanted.size() == 1 ? wanted[0] : wanted[i];
    const auto n = want == shape[i + 2] ? shape[i + 2].constant() : want.constant();
    const auto size = shape[i + 2].constant();
    a.to_one = a.to_one && want.is(1);
    if (!a.to_one && (!n || !size || *n <= 0))
      return context.unsupported("adaptive pooling to more than one element needs fixed spatial dimensions");
    a.input.push_back(size.value_or(0));
    a.output.push_back(n.value_or(1));
    a.even = a.even && n && size && *size % *n == 0;
  }
  return a;
}

/// The attributes of a pool whose windows lie side by side.
Attributes even_windows(const Adaptive& a) {
  std::vector<int64_t> kernel;
  for (size_t i = 0; i < a.input.size(); ++i) kernel.push_back(a.input[i] / a.output[i]);
  return {{"kernel_shape", kernel}, {"strides", kernel}};
}

Result<ValueId> pool_adaptively(LowerContext& context, const Adaptive& a, Op window_op, Op global_op,
                                Op reduce) {
  if (a.to_one) return context.add(global_op, {a.x});
  if (a.even) return context.add(window_op, {a.x}, even_windows(a));
  ValueId y = a.x;
  for (size_t i = 0; i < a.input.size(); ++i)
    y = TENON_TRY(pool_axis(context, reduce, y, static_cast<int64_t>(i) + 2, a.input[i], a.output[i]));
  return y;
}

Status lower_adaptive_avg_pool(LowerContext& context) {
  const Adaptive a = TENON_TRY(adaptive_of(context));
  const ValueId y =
      TENON_TRY(pool_adaptively(context, a, Op::kAveragePool, Op::kGlobalAveragePool, Op::kReduceMean));
  return context.finish(a.batched ? Result<ValueId>(y) : squeeze(context, y, {0}));
}

Status lower_adaptive_max_pool(LowerContext& context) {
  const Adaptive a = TENON_TRY(adaptive_of(context));
  auto with_batch = [&](ValueId y) { return a.batched ? Result<ValueId>(y) : squeeze(context, y, {0}); };
  if (!context.is_used(1)) {
    const ValueId y =
        TENON_TRY(pool_adaptively(context, a, Op::kMaxPool, Op::kGlobalMaxPool, Op::kReduceMax));
    return context.finish({TENON_TRY(with_batch(y)), kNoValue});
  }
  if (!a.even)
    return context.unsupported("the indices of adaptive max pooling with windows of different sizes");
  const PooledMaxima maxima = TENON_TRY(maxima_with_places(context, a.x, even_windows(a)));
  const ValueId values = TENON_TRY(with_batch(maxima.values));
  return context.finish({values, TENON_TRY(with_batch(maxima.places))});
}

constexpr Handler kHandlers[] = {
    {"aten.max_pool1d.default", lower_max_pool},
    {"aten.max_pool2d.default", lower_max_pool},
    {"aten.max_pool3d.default", lower_max_pool},
    {"aten.max_pool1d_with_indices.default", lower_max_pool_with_indices},
    {"aten.max_pool2d_with_indices.default", lower_max_pool_with_indices},
    {"aten.max_pool3d_with_indices.default", lower_max_pool_with_indices},
    {"aten.avg_pool1d.default", lower_avg_pool},
    {"aten.avg_pool2d.default", lower_avg_pool},
    {"aten.avg_pool3d.default", lower_avg_pool},
    {"aten.adaptive_avg_pool1d.default", lower_adaptive_avg_pool},
    {"aten.adaptive_avg_pool2d.default", lower_adaptive_avg_pool},
    {"aten.adaptive_avg_pool3d.default", lower_adaptive_avg_pool},
    {"aten.adaptive_max_pool1d.default", lower_adaptive_max_pool},
    {"aten.adaptive_max_pool2d.default", lower_adaptive_max_pool},
    {"aten.adaptive_max_pool3d.default", lower_adaptive_max_pool},
    {"aten._adaptive_avg_pool2d.default", lower_adaptive_avg_pool},
    {"aten._adaptive_avg_pool3d.default", lower_adaptive_avg_pool},
};

}  // namespace

std::span<const Handler> pooling_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
