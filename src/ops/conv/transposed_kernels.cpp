// Rows for float32 transposed convolutions of one and two dimensions with constant weights, a
// BatchNormalization or factor for each channel after them, and a tail.
#include <algorithm>
#include <memory>

#include "kernels/conv/blocked_conv.h"
#include "kernels/conv/depthwise_conv.h"
#include "kernels/conv/transposed_conv.h"
#include "kernels/conv/transposed_few.h"
#include "kernels/layout/blocked.h"
#include "ops/conv/conv_kernel.h"
#include "ops/conv/folded.h"
#include "ops/conv/kernels.h"
#include "ops/conv/transposed.h"
#include "ops/core/region_values.h"
#include "ops/core/services.h"

namespace tenon::ops {

namespace {

/// Phases (strides of both axes) at most: each one is a convolution of its own.
constexpr int64_t kBlockedPhasesMax = 1024;
/// Each of these has a copy of its input.
constexpr int64_t kTilePhasesMax = 64;
/// What a kernel spans, and what is cut off: of more, the zeros around the input would count. Larger ones are
/// left to the reference.
constexpr int64_t kExtentMax = 256;

Result<TransposedWindow> transposed_window(const Node& node, const Tensor& weights) {
  return read_transposed(node.attributes, {weights.shape().begin() + 2, weights.shape().end()});
}

/// Whether an output of a given shape has not many more elements than a tap reaches.
bool is_near_natural(const Region& region, TransposedWindow window) {
  const auto& shape = region.type(region.anchor_node().inputs[0]).shape;
  const std::vector<int64_t> given = std::move(window.output_shape);
  window.output_shape.clear();
  for (size_t i = 0; i < given.size(); ++i) {
    const auto input = shape && i + 2 < shape->size() ? (*shape)[i + 2].constant() : std::nullopt;
    if (!input) return false;
    const auto natural = transposed_size(window, i, *input);
    if (!natural.ok() || given[i] > *natural->constant() + kExtentMax) return false;
  }
  return true;
}

bool fits(const Region& region, int64_t phases_max) {
  if (region.anchor != 0 || region.outputs.size() != 1 || region.inputs.empty()) return false;
  const Node& node = region.anchor_node();
  const Tensor* weights = region.constant_input(node, 1);
  const Tensor* bias = region.constant_input(node, 2);
  if (!node.has_input(0) || node.inputs[0] != region.inputs[0]) return false;
  if (weights == nullptr || weights->type() != DataType::kFloat32 || weights->size() == 0) return false;
  if (weights->rank() != 3 && weights->rank() != 4) return false;
  const auto window = transposed_window(node, *weights);
  if (!window.ok() || weights->dim(0) % window->group != 0) return false;
  if (node.has_input(2) && (bias == nullptr || bias->size() != weights->dim(1) * window->group)) return false;
  int64_t phases = 1;
  for (size_t i = 0; i < window->window.axes(); ++i) {
    if (window->window.strides[i] > phases_max || window->window.dilations[i] > kExtentMax ||
        window->window.kernel[i] > kExtentMax || window->window.extent(i) > kExtentMax ||
        window->window.pads_begin[i] > kExtentMax || window->window.pads_end[i] > kExtentMax ||
        window->output_padding[i] > kExtentMax)
      return false;
    phases *= window->window.strides[i];
  }
  if (!window->output_shape.empty() && !is_near_natural(region, *window)) return false;
  return phases <= phases_max && tail_of(region).has_value();
}

bool fits_tile(const Region& region) {
  return fits(region, kTilePhasesMax);
}

bool fits_blocked(const Region& region) {
  return fits(region, kBlockedPhasesMax) && region.constant_input(region.anchor_node(), 1)->rank() == 4 &&
         is_image(region, region.inputs[0]) && is_image(region, region.outputs[0]);
}

/// The filter of a region that fits.
kernels::ConvFilter filter_of(const Tensor& weights, const TransposedWindow& transposed) {
  const Window& window = transposed.window;
  const size_t last = window.axes() - 1;
  kernels::ConvFilter filter;
  filter.groups = transposed.group;
  filter.in_channels = weights.dim(0) / filter.groups;
  filter.out_channels = weights.dim(1);
  filter.kernel_w = window.kernel[last];
  filter.stride_w = window.strides[last];
  filter.dilation_w = window.dilations[last];
  if (last == 1) {
    filter.kernel_h = window.kernel[0];
    filter.stride_h = window.strides[0];
    filter.dilation_h = window.dilations[0];
  }
  return filter;
}
kernels::ConvFilter filter_of(const Region& region) {
  const Tensor& weights = *region.constant_input(region.anchor_node(), 1);
  return filter_of(weights, *transposed_window(region.anchor_node(), weights));
}

bool fits_few(const Region& region) {
  if (!fits_blocked(region) || !tail_of(region)->operands.empty()) return false;
  const kernels::ConvFilter filter = filter_of(region);
  return filter.groups == 1 && filter.dilation_h == 1 && filter.dilation_w == 1 &&
         filter.stride_h * filter.stride_w > 1;
}

template <Isa kIsa>
bool few_pays(const Region& region) {
  return kernels::TransposedFewConv::work(filter_of(region), kernels::block_lanes(kIsa)) < 1;
}

class TransposedKernel final : public Kernel {
 public:
  TransposedKernel(const kernels::ConvFilter& filter, TransposedWindow window, FusedTail tail, Lanes lanes,
                   std::unique_ptr<kernels::Convolution> conv)
      : filter_(filter),
        window_(std::move(window)),
        tail_(std::move(tail)),
        lanes_(lanes),
        conv_(std::move(conv)) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.shape().size() != window_.window.axes() + (lanes_.input > 1 ? 3 : 2))
      return fail(ErrorCode::kInvalidModel, "input of shape {} does not fit weights for {} channels",
                  to_string(x.shape()), filter_.groups * filter_.in_channels);
    TENON_TRY(check_channels(filter_, lanes_, x.shape()));
    WindowAxes axes = TENON_TRY(resolve_transposed(window_, x.shape().data() + 2));
    Shape shape = {x.dim(0), kernels::blocks_of(filter_.groups * filter_.out_channels, lanes_.output)};
    for (const WindowAxis& axis : axes) shape.push_back(axis.input);
    if (lanes_.output > 1) shape.push_back(lanes_.output);
    TENON_TRY(element_count(shape));
    Tensor& output = context.output(0, DataType::kFloat32, shape);
    if (output.size() == 0) return {};
    // One dimension is two with a height of 1.
    if (axes.size() == 1) axes.insert(axes.begin(), WindowAxis{1, 1, 1, 1, 1, 0, 0});
    kernels::ConvCall call;
    call.images = x.dim(0);
    call.in_h = axes[0].output;
    call.in_w = axes[1].output;
    call.pad_top = axes[0].pad_begin;
    call.pad_left = axes[1].pad_begin;
    call.out_h = axes[0].input;
    call.out_w = axes[1].input;
    call.input = x.data<float>();
    call.output = output.mutable_data<float>();
    call.operands = TENON_TRY(tail_operands(tail_, context, shape));
    if (!conv_->run(call, kernel_services(context)))
      return fail(ErrorCode::kLimit, "an input of shape {} is too large for this kernel",
                  to_string(x.shape()));
    return {};
  }

 private:
  kernels::ConvFilter filter_;
  TransposedWindow window_;
  FusedTail tail_;
  Lanes lanes_;
  std::unique_ptr<kernels::Convolution> conv_;
};

enum class Algorithm : uint8_t { kTile, kBlocked, kFew };

/// The convolution of a phase.
std::unique_ptr<kernels::Convolution> make_phase(const kernels::ConvFilter& filter,
                                                 const kernels::ConvWeights& weights, bool blocked,
                                                 kernels::Epilogue epilogue, Isa isa,
                                                 kernels::Packing& packing) {
  if (!blocked) return std::make_unique<kernels::Conv2d>(filter, weights, std::move(epilogue), isa, packing);
  if (kernels::DepthwiseConv::takes(filter, isa))
    return std::make_unique<kernels::DepthwiseConv>(filter, weights, std::move(epilogue), isa, packing);
  return std::make_unique<kernels::BlockedConv>(filter, weights, false, std::nullopt, std::move(epilogue),
                                                isa, packing);
}

template <Algorithm kAlgorithm, Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region& region, kernels::Packing& packing) {
  const Node& node = region.anchor_node();
  const Tensor& values = *region.constant_input(node, 1);
  TransposedWindow window = TENON_TRY(transposed_window(node, values));
  const kernels::ConvFilter filter = filter_of(values, window);
  const FoldedBias folded = TENON_TRY(fold_channel_norm(region, filter.groups * filter.out_channels));
  const kernels::ConvWeights weights{values.data<float>(), folded.factors, folded.bias};
  FusedTail tail = *tail_of(region);
  const kernels::Epilogue epilogue(tail.ops, kIsa);
  const int64_t block = kernels::block_lanes(kIsa);
  Lanes lanes{block, block};
  std::unique_ptr<kernels::Convolution> conv;
  if constexpr (kAlgorithm == Algorithm::kFew) {
    lanes.output = 1;
    conv = std::make_unique<kernels::TransposedFewConv>(filter, weights, epilogue, kIsa, packing);
  } else {
    constexpr bool kIsBlocked = kAlgorithm == Algorithm::kBlocked;
    if (!kIsBlocked) lanes = {1, 1};
    conv = std::make_unique<kernels::TransposedConv>(
        filter, weights, lanes.input,
        [&](const kernels::ConvFilter& phase, const kernels::ConvWeights& part) {
          return make_phase(phase, part, kIsBlocked, epilogue, kIsa, packing);
        });
  }
  return std::unique_ptr<Kernel>(
      std::make_unique<TransposedKernel>(filter, std::move(window), std::move(tail), lanes, std::move(conv)));
}

constexpr RowLayouts kBlocked{Layout::kBlocked, Layout::kBlocked, true};
constexpr RowLayouts kBlockedToPlain{Layout::kBlocked, Layout::kPlain, true};

}  // namespace

#define TENON_TRANSPOSED_ROWS(suffix, isa)                                                          \
  {"conv_transposed_few_f32_" suffix,                                                               \
   isa,                                                                                             \
   fits_few,                                                                                        \
   prepare<Algorithm::kFew, isa>,                                                                   \
   kBlockedToPlain,                                                                                 \
   false,                                                                                           \
   few_pays<isa>},                                                                                  \
      {"conv_transposed_blocked_f32_" suffix, isa, fits_blocked, prepare<Algorithm::kBlocked, isa>, \
       kBlocked},                                                                                   \
  {                                                                                                 \
    "conv_transposed_tile_f32_" suffix, isa, fits_tile, prepare<Algorithm::kTile, isa>              \
  }
const KernelRow kConvTransposeRows[9] = {TENON_TRANSPOSED_ROWS("avx512", Isa::kAvx512),
                                         TENON_TRANSPOSED_ROWS("avx2", Isa::kAvx2),
                                         TENON_TRANSPOSED_ROWS("portable", Isa::kPortable)};
#undef TENON_TRANSPOSED_ROWS

}  // namespace tenon::ops
