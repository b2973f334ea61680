// Rows for float32 convolutions of one and two dimensions with constant weights, a BatchNormalization after
// them folded into the weights, and a tail of activations and residual sums.
#include "ops/conv/kernels.h"

#include <algorithm>
#include <cmath>

#include "kernels/conv/conv2d.h"
#include "ops/conv/conv.h"
#include "ops/core/services.h"
#include "ops/fusion/tail.h"
#include "ops/spatial/window.h"

namespace tenon::ops {

namespace {

std::optional<FusedTail> tail_of(const Region& region) {
  const size_t first = folded_nodes(region);
  return fused_tail(region, first, region.nodes[first - 1]->outputs[0]);
}

bool fits(const Region& region) {
  if (region.anchor != 0 || region.outputs.size() != 1 || region.inputs.empty()) return false;
  const Node& conv = *region.nodes[0];
  const Tensor* weights = region.constant_input(conv, 1);
  const Tensor* bias = region.constant_input(conv, 2);
  if (!conv.has_input(0) || conv.inputs[0] != region.inputs[0]) return false;
  if (weights == nullptr || weights->type() != DataType::kFloat32 || weights->size() == 0) return false;
  if (weights->rank() != 3 && weights->rank() != 4) return false;
  if (conv.has_input(2) && (bias == nullptr || bias->size() != weights->dim(0))) return false;
  int64_t groups = conv.attributes.integer("group", 1);
  if (groups < 1 || weights->dim(0) % groups != 0) return false;
  return tail_of(region).has_value();
}

/// Weights and bias as the kernel takes them, with the BatchNormalization multiplied in:
/// w' = w * s and b' = (b - mean) * s + beta, where s = gamma / sqrt(var + epsilon), rounded once.
struct Folded {
  std::vector<float> weights;
  std::vector<float> bias;  // empty: none
};

Result<Folded> fold(const Region& region) {
  const Node& conv = *region.nodes[0];
  const Tensor& weights = *region.constant_input(conv, 1);
  const Tensor* bias = region.constant_input(conv, 2);
  Folded folded;
  auto source = weights.span<float>();
  folded.weights.assign(source.begin(), source.end());
  if (bias != nullptr) folded.bias.assign(bias->span<float>().begin(), bias->span<float>().end());
  if (folded_nodes(region) == 1) return folded;
  const Node& norm = *region.nodes[1];
  auto channels = static_cast<size_t>(weights.dim(0));
  size_t depth = folded.weights.size() / channels;
  std::span<const float> parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = region.constant_input(norm, i + 1)->span<float>();
    if (parameters[i].size() != channels)
      return at_node(fail(ErrorCode::kInvalidModel, "a parameter has {} elements for {} channels",
                          parameters[i].size(), channels),
                     norm.name, "BatchNormalization");
  }
  folded.bias.resize(channels, 0.0f);
  double epsilon = norm.attributes.real("epsilon", 1e-5f);
  for (size_t c = 0; c < channels; ++c) {
    double scale = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
    for (size_t k = 0; k < depth; ++k) {
      float& weight = folded.weights[c * depth + k];
      weight = static_cast<float>(weight * scale);
    }
    folded.bias[c] = static_cast<float>((static_cast<double>(folded.bias[c]) - parameters[2][c]) * scale +
                                        parameters[1][c]);
  }
  return folded;
}

class ConvKernel final : public Kernel {
 public:
  ConvKernel(const kernels::ConvFilter& filter, const Folded& folded, FusedTail tail, Window window, Isa isa)
      : filter_(filter),
        tail_(std::move(tail)),
        window_(std::move(window)),
        conv_(filter, folded.weights.data(), folded.bias.empty() ? nullptr : folded.bias.data(),
              kernels::Epilogue(tail_.ops, isa), isa) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    auto axes_count = static_cast<int64_t>(window_.axes());
    if (x.rank() != axes_count + 2 || x.dim(1) != filter_.groups * filter_.in_channels)
      return fail(ErrorCode::kInvalidModel, "input of shape {} does not fit weights for {} channels",
                  to_string(x.shape()), filter_.groups * filter_.in_channels);
    auto axes = TENON_TRY(resolve_window(window_, x.shape().data() + 2));
    Shape shape = {x.dim(0), filter_.groups * filter_.out_channels};
    for (const WindowAxis& axis : axes) shape.push_back(axis.output);
    // One dimension is two with a height of 1.
    if (axes.size() == 1) axes.insert(axes.begin(), WindowAxis{1, 1, 1, 1, 1, 0, 0});

    kernels::ConvCall call;
    call.images = x.dim(0);
    call.in_h = axes[0].input;
    call.in_w = axes[1].input;
    call.pad_top = axes[0].pad_begin;
    call.pad_left = axes[1].pad_begin;
    call.out_h = axes[0].output;
    call.out_w = axes[1].output;
    call.input = x.data<float>();
    call.operands = TENON_TRY(tail_operands(tail_, context, shape));
    call.output = context.output(0, DataType::kFloat32, shape).mutable_data<float>();
    if (!conv_.run(call, kernel_services(context)))
      return fail(ErrorCode::kLimit, "an input of shape {} is too large for this kernel",
                  to_string(x.shape()));
    return {};
  }

  size_t bytes() const override { return conv_.bytes(); }

 private:
  kernels::ConvFilter filter_;
  FusedTail tail_;
  Window window_;
  kernels::Conv2d conv_;
};

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region& region) {
  const Node& conv = *region.nodes[0];
  const Tensor& weights = *region.constant_input(conv, 1);
  Window window = TENON_TRY(
      read_window(conv.attributes, std::vector<int64_t>(weights.shape().begin() + 2, weights.shape().end())));
  kernels::ConvFilter filter;
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
  Folded folded = TENON_TRY(fold(region));
  return std::unique_ptr<Kernel>(
      std::make_unique<ConvKernel>(filter, folded, *tail_of(region), std::move(window), kIsa));
}

}  // namespace

const KernelRow kConvRows[3] = {
    {"conv_tile_f32_avx512", Isa::kAvx512, fits, prepare<Isa::kAvx512>},
    {"conv_tile_f32_avx2", Isa::kAvx2, fits, prepare<Isa::kAvx2>},
    {"conv_tile_f32_portable", Isa::kPortable, fits, prepare<Isa::kPortable>},
};

}  // namespace tenon::ops
