// Rows for float32 convolutions of one and two dimensions with constant weights, a BatchNormalization or a
// factor for each channel after them folded into the weights, and a tail of activations and residual sums.
// Those of two dimensions work in the blocked layout; some take a pool or depthwise convolution behind them.
#include "ops/conv/kernels.h"

#include <algorithm>

#include "kernels/conv/blocked_conv.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/depthwise_conv.h"
#include "kernels/conv/winograd.h"
#include "kernels/layout/blocked.h"
#include "ops/conv/behind_kernel.h"
#include "ops/conv/conv.h"
#include "ops/conv/conv_kernel.h"
#include "ops/conv/folded.h"
#include "ops/conv/head.h"
#include "ops/conv/winograd_cost.h"
#include "ops/core/region_values.h"
#include "ops/fusion/tail.h"
#include "ops/spatial/window.h"

namespace tenon::ops {

namespace {

/// Whether the region is a convolution with a tail, whatever comes before it.
bool fits_behind_head(const Region& region) {
  if (region.outputs.size() != 1 || region.inputs.empty()) return false;
  const Node& conv = region.anchor_node();
  const Tensor* weights = region.constant_input(conv, 1);
  const Tensor* bias = region.constant_input(conv, 2);
  if (!conv.has_input(0)) return false;
  if (weights == nullptr || weights->type() != DataType::kFloat32 || weights->size() == 0) return false;
  if (weights->rank() != 3 && weights->rank() != 4) return false;
  if (conv.has_input(2) && (bias == nullptr || bias->size() != weights->dim(0))) return false;
  int64_t groups = conv.attributes.integer("group", 1);
  if (groups < 1 || weights->dim(0) % groups != 0) return false;
  return tail_of(region).has_value();
}

bool fits(const Region& region) {
  return region.anchor == 0 && fits_behind_head(region) && region.nodes[0]->inputs[0] == region.inputs[0];
}

/// Images whose first convolution takes them as they are: few channels would leave most of a block empty.
constexpr int64_t kPlanarChannelsMax = 4;

template <int kM>
double work_of_winograd(const Region& region) {
  return winograd_work(region, kM);
}

bool fits_blocked(const Region& region) {
  if (!fits(region)) return false;
  const Node& conv = *region.nodes[0];
  return region.constant_input(conv, 1)->rank() == 4 && is_image(region, conv.inputs[0]) &&
         is_image(region, region.outputs[0]);
}

bool fits_blocked_or_head(const Region& region) {
  if (region.anchor == 0) return fits_blocked(region);
  return fits_behind_head(region) && conv_head(region) && is_image(region, region.outputs[0]);
}

/// Whether a tail adds the image that the region begins with, which a planar row gets in another layout.
bool adds_input(const FusedTail& tail) {
  return std::ranges::find(tail.operands, size_t{0}) != tail.operands.end();
}

bool fits_first(const Region& region) {
  if (!fits_blocked(region) || region.nodes[0]->attributes.integer("group", 1) != 1 ||
      adds_input(*tail_of(region)))
    return false;
  const Tensor& weights = *region.constant_input(*region.nodes[0], 1);
  return weights.dim(1) <= kPlanarChannelsMax && weights.dim(2) * weights.dim(3) > 1;
}

bool is_depthwise(const Region& region) {
  const Tensor& weights = *region.constant_input(*region.nodes[0], 1);
  return weights.rank() == 4 && weights.dim(1) == 1 &&
         weights.dim(0) == region.nodes[0]->attributes.integer("group", 1) && weights.dim(0) > 1;
}

bool fits_depthwise(const Region& region) {
  return fits_blocked(region) && is_depthwise(region);
}

/// Groups that a vector has several of.
template <Isa kIsa>
bool fits_grouped(const Region& region) {
  if (!fits_blocked(region)) return false;
  const Tensor& weights = *region.constant_input(*region.nodes[0], 1);
  const int64_t groups = region.nodes[0]->attributes.integer("group", 1), inputs = weights.dim(1);
  return inputs > 1 && kernels::DepthwiseConv::takes({.groups = groups,
                                                      .in_channels = inputs,
                                                      .out_channels = weights.dim(0) / groups,
                                                      .kernel_h = weights.dim(2),
                                                      .kernel_w = weights.dim(3)},
                                                     kIsa);
}

/// A 1x1 convolution of blocks.
bool fits_pointwise(const Region& region) {
  if (!fits_blocked(region) || region.nodes[0]->attributes.integer("group", 1) != 1) return false;
  const Tensor& weights = *region.constant_input(*region.nodes[0], 1);
  return weights.dim(2) * weights.dim(3) == 1;
}

bool fits_winograd(const Region& region) {
  if (!fits_blocked(region)) return false;
  const Node& conv = *region.nodes[0];
  const Tensor& weights = *region.constant_input(conv, 1);
  if (weights.dim(2) != 3 || weights.dim(3) != 3 || conv.attributes.integer("group", 1) != 1) return false;
  for (const char* name : {"strides", "dilations"})
    for (int64_t step : conv.attributes.integers(name))
      if (step != 1) return false;
  return true;
}

template <int kM>
bool winograd_pays(const Region& region) {
  const Tensor& weights = *region.constant_input(*region.nodes[0], 1);
  return choose_winograd(weights.dim(1), weights.dim(0), *region.type(region.outputs[0]).shape) == kM;
}

/// Its root mean square over that of F(4 x 4, 3 x 3), 13 over 3.3 times a direct sum's.
constexpr double kWinograd6Error = 4;

enum class Algorithm : uint8_t {
  kTile,
  kBlocked,
  kPlanarToBlocked,
  kDepthwise,
  kWinograd2,
  kWinograd4,
  kWinograd6
};

std::unique_ptr<kernels::Convolution> make_convolution(Algorithm algorithm, const kernels::ConvFilter& filter,
                                                       const kernels::ConvWeights& weights,
                                                       std::optional<kernels::InputMap> map,
                                                       kernels::Epilogue epilogue, Isa isa,
                                                       kernels::Packing& packing) {
  switch (algorithm) {
    case Algorithm::kWinograd2:
    case Algorithm::kWinograd4:
    case Algorithm::kWinograd6: {
      const int m = algorithm == Algorithm::kWinograd2 ? 2 : algorithm == Algorithm::kWinograd4 ? 4 : 6;
      return std::make_unique<kernels::WinogradConv>(filter, weights, m, std::move(epilogue), isa, packing);
    }
    case Algorithm::kDepthwise:
      return std::make_unique<kernels::DepthwiseConv>(filter, weights, std::move(epilogue), isa, packing);
    case Algorithm::kBlocked:
    case Algorithm::kPlanarToBlocked:
      return std::make_unique<kernels::BlockedConv>(filter, weights, algorithm == Algorithm::kPlanarToBlocked,
                                                    std::move(map), std::move(epilogue), isa, packing);
    case Algorithm::kTile:
      break;
  }
  return std::make_unique<kernels::Conv2d>(filter, weights, std::move(epilogue), isa, packing);
}

/// What all kernels know of a region's convolution and tail.
struct Prepared {
  kernels::ConvFilter filter;
  Window window;
  FoldedBias folded;
  FusedTail tail;
  kernels::ConvWeights weights;  // for as long as the region and `folded` last
};

Result<std::unique_ptr<Prepared>> read_conv(const Region& region) {
  const Node& conv = region.anchor_node();
  const Tensor& weights = *region.constant_input(conv, 1);
  auto prepared = std::make_unique<Prepared>();
  prepared->window = TENON_TRY(
      read_window(conv.attributes, std::vector<int64_t>(weights.shape().begin() + 2, weights.shape().end())));
  const Window& window = prepared->window;
  kernels::ConvFilter& filter = prepared->filter;
  filter.groups = conv.attributes.integer("group", 1);
  filter.in_channels = weights.dim(1);
  filter.out_channels = weights.dim(0) / filter.groups;
  size_t last = window.axes() - 1;
  filter.kernel_w = window.kernel[last];
  filter.stride_w = window.strides[last];
  filter.dilation_w = window.dilations[last];
  if (last == 1) {
    filter.kernel_h = window.kernel[0];
    filter.stride_h = window.strides[0];
    filter.dilation_h = window.dilations[0];
  }
  prepared->folded = TENON_TRY(fold_channel_norm(region, weights.dim(0)));
  prepared->tail = *tail_of(region);
  prepared->weights = {weights.data<float>(), prepared->folded.factors, prepared->folded.bias};
  return prepared;
}

template <Algorithm kAlgorithm, Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region& region, kernels::Packing& packing) {
  const auto prepared = TENON_TRY(read_conv(region));
  const int64_t block = kernels::block_lanes(kIsa);
  std::optional<ConvHead> head;
  std::optional<kernels::InputMap> map;
  if (region.anchor > 0) {
    head = conv_head(region);
    map = input_map(*head, block);
  }
  auto convolution = make_convolution(kAlgorithm, prepared->filter, prepared->weights, std::move(map),
                                      kernels::Epilogue(prepared->tail.ops, kIsa), kIsa, packing);
  const Lanes lanes{kAlgorithm == Algorithm::kTile || kAlgorithm == Algorithm::kPlanarToBlocked ? 1 : block,
                    kAlgorithm == Algorithm::kTile ? 1 : block};
  ConvGeometry geometry(prepared->filter, std::move(prepared->window), lanes);
  geometry.expect(shape_in_memory(region, region.inputs[head ? head->images[0] : 0], lanes.input));
  return std::unique_ptr<Kernel>(std::make_unique<ConvKernel>(
      std::move(geometry), std::move(head), std::move(prepared->tail), std::move(convolution)));
}

/// The convolution that a region begins with, up to node `end`.
Region before_node(Region region, size_t end) {
  region.outputs = {region.nodes[end]->inputs[0]};
  region.nodes.resize(end);
  return region;
}

/// The convolution that a region ends with, from node `begin` on. Its inputs are the region's.
Region from_node(Region region, size_t begin) {
  region.nodes.erase(region.nodes.begin(), region.nodes.begin() + static_cast<ptrdiff_t>(begin));
  return region;
}

/// The second convolution of a region, or 0.
size_t second_conv(const Region& region) {
  for (size_t n = 1; n < region.nodes.size(); ++n)
    if (region.nodes[n]->op == Op::kConv && region.nodes[n]->has_input(0)) return n;
  return 0;
}

/// `prepared`: of the region's first convolution.
template <Isa kIsa>
ConvBefore make_before(const Region& region, const Prepared& prepared, bool planar,
                       kernels::Packing& packing) {
  const int64_t block = kernels::block_lanes(kIsa);
  ConvGeometry geometry(prepared.filter, prepared.window, {planar ? 1 : block, block});
  geometry.expect(shape_in_memory(region, region.inputs[0], geometry.lanes().input));
  return {std::move(geometry),
          kernels::BlockedConv(prepared.filter, prepared.weights, planar, std::nullopt,
                               kernels::Epilogue(prepared.tail.ops, kIsa), kIsa, packing)};
}

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare_pooled(const Region& region, kernels::Packing& packing) {
  const auto prepared = TENON_TRY(read_conv(before_node(region, region.nodes.size() - 1)));
  Window pool = TENON_TRY(read_pool_window(region.nodes.back()->attributes, 2));
  return std::unique_ptr<Kernel>(std::make_unique<PooledConvKernel>(
      make_before<kIsa>(region, *prepared, true, packing), std::move(pool), kIsa));
}

template <bool kPlanar, Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare_with_depthwise(const Region& region, kernels::Packing& packing) {
  const size_t second = second_conv(region);
  const Region behind = from_node(region, second);
  const auto before = TENON_TRY(read_conv(before_node(region, second)));
  auto prepared = TENON_TRY(read_conv(behind));
  ConvBefore conv = make_before<kIsa>(region, *before, kPlanar, packing);
  const int64_t block = kernels::block_lanes(kIsa);
  ConvGeometry geometry(prepared->filter, std::move(prepared->window), {block, block});
  if (const auto& between = conv.geometry.expected()) geometry.expect(between->shape);
  kernels::DepthwiseConv depthwise(prepared->filter, prepared->weights,
                                   kernels::Epilogue(prepared->tail.ops, kIsa), kIsa, packing);
  return std::unique_ptr<Kernel>(std::make_unique<ConvDepthwiseKernel>(
      std::move(conv), std::move(geometry), std::move(prepared->tail), std::move(depthwise)));
}

constexpr RowLayouts kBlocked{Layout::kBlocked, Layout::kBlocked, true};
constexpr RowLayouts kPlanarToBlocked{Layout::kPlain, Layout::kBlocked, true};

/// Rows that the window behind a convolution spans at most, for what it reads to stay in the caches.
constexpr int64_t kWindowRowsMax = 8;

/// Whether what a convolution makes can be kept for the window behind it.
bool can_be_kept(const Region& before) {
  return before.outputs[0] != kNoValue && tail_of(before)->operands.empty();
}

bool fits_first_with_pool(const Region& region) {
  const Node& pool = *region.nodes.back();
  if (region.is_single() || region.outputs.size() != 1 || pool.op != Op::kMaxPool || pool.has_output(1) ||
      !is_image(region, region.outputs[0]))
    return false;
  const auto window = read_pool_window(pool.attributes, 2);
  if (!window.ok() || window->extent(0) > kWindowRowsMax) return false;
  const Region before = before_node(region, region.nodes.size() - 1);
  return fits_first(before) && can_be_kept(before);
}

/// Whether a region ends with a depthwise convolution from node `begin` on that can be behind another.
bool ends_depthwise(const Region& region, size_t begin) {
  const Region behind = from_node(region, begin);
  const Node& conv = *behind.nodes[0];
  if (!fits_behind_head(behind) || !is_image(region, region.outputs[0]) || !is_depthwise(behind))
    return false;
  const Shape& weights = behind.constant_input(conv, 1)->shape();
  const auto window = read_window(conv.attributes, {weights.begin() + 2, weights.end()});
  return window.ok() && window->extent(0) <= kWindowRowsMax;
}

template <bool kPlanar>
bool fits_with_depthwise(const Region& region) {
  const size_t second = second_conv(region);
  if (second == 0 || region.anchor != 0 || !ends_depthwise(region, second)) return false;
  const Region before = before_node(region, second), behind = from_node(region, second);
  if (kPlanar && adds_input(*tail_of(behind))) return false;
  return (kPlanar ? fits_first(before) : fits_pointwise(before)) && can_be_kept(before);
}

}  // namespace

bool fits_with_window_behind(const Region& region) {
  return fits_first_with_pool(region) || fits_with_depthwise<true>(region) ||
         fits_with_depthwise<false>(region);
}

#define TENON_CONV_ROWS(suffix, isa)                                                                        \
  {"conv_depthwise_f32_" suffix, isa, fits_depthwise, prepare<Algorithm::kDepthwise, isa>, kBlocked},       \
      {"conv_grouped_f32_" suffix, isa, fits_grouped<isa>, prepare<Algorithm::kDepthwise, isa>, kBlocked},  \
      {"conv_first_f32_" suffix, isa, fits_first, prepare<Algorithm::kPlanarToBlocked, isa>,                \
       kPlanarToBlocked},                                                                                   \
      {"conv_first_pool_f32_" suffix, isa, fits_first_with_pool, prepare_pooled<isa>, kPlanarToBlocked},    \
      {"conv_first_depthwise_f32_" suffix, isa, fits_with_depthwise<true>,                                  \
       prepare_with_depthwise<true, isa>, kPlanarToBlocked},                                                \
      {"conv_blocked_depthwise_f32_" suffix, isa, fits_with_depthwise<false>,                               \
       prepare_with_depthwise<false, isa>, kBlocked},                                                       \
      {"conv_winograd4_f32_" suffix,                                                                        \
       isa,                                                                                                 \
       fits_winograd,                                                                                       \
       prepare<Algorithm::kWinograd4, isa>,                                                                 \
       kBlocked,                                                                                            \
       true,                                                                                                \
       winograd_pays<4>,                                                                                    \
       work_of_winograd<4>},                                                                                \
      {"conv_winograd2_f32_" suffix,                                                                        \
       isa,                                                                                                 \
       fits_winograd,                                                                                       \
       prepare<Algorithm::kWinograd2, isa>,                                                                 \
       kBlocked,                                                                                            \
       true,                                                                                                \
       winograd_pays<2>,                                                                                    \
       work_of_winograd<2>},                                                                                \
      {"conv_blocked_f32_" suffix, isa, fits_blocked_or_head, prepare<Algorithm::kBlocked, isa>, kBlocked}, \
      {"conv_winograd6_f32_" suffix,                                                                        \
       isa,                                                                                                 \
       fits_winograd,                                                                                       \
       prepare<Algorithm::kWinograd6, isa>,                                                                 \
       kBlocked,                                                                                            \
       true,                                                                                                \
       nullptr,                                                                                             \
       work_of_winograd<6>,                                                                                 \
       kWinograd6Error},                                                                                    \
  {                                                                                                         \
    "conv_tile_f32_" suffix, isa, fits, prepare<Algorithm::kTile, isa>                                      \
  }
const KernelRow kConvRows[33] = {TENON_CONV_ROWS("avx512", Isa::kAvx512), TENON_CONV_ROWS("avx2", Isa::kAvx2),
                                 TENON_CONV_ROWS("portable", Isa::kPortable)};
#undef TENON_CONV_ROWS

}  // namespace tenon::ops
