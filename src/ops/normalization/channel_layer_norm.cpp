#include "ops/normalization/channel_layer_norm.h"

#include <algorithm>

#include "kernels/layout/blocked.h"
#include "kernels/lines/blocked_layer_norm.h"
#include "ops/core/services.h"
#include "ops/normalization/kernels.h"
#include "ops/transpose/channels_last.h"

namespace tenon::ops {

namespace {

class ChannelLayerNormKernel final : public Kernel {
 public:
  ChannelLayerNormKernel(const Tensor& scale, const Tensor* bias, double epsilon, Isa isa)
      : channels_(scale.size()),
        scale_(whole_blocks(scale, isa)),
        bias_(bias != nullptr ? whole_blocks(*bias, isa) : std::vector<float>(scale_.size())),
        epsilon_(epsilon),
        isa_(isa) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    kernels::BlockedLayerNormCall call;
    call.input = x.data<float>();
    call.images = x.dim(0);
    call.channels = channels_;
    call.pixels = x.dim(2) * x.dim(3);
    call.scale = scale_.data();
    call.bias = bias_.data();
    call.epsilon = epsilon_;
    call.output = context.output(0, DataType::kFloat32, x.shape()).mutable_data<float>();
    kernels::blocked_layer_norm(call, isa_, kernel_services(context));
    return {};
  }

 private:
  /// Zeros beyond the last channel keep what is there finite.
  static std::vector<float> whole_blocks(const Tensor& by_channel, Isa isa) {
    const kernels::BlockedShape shape{1, by_channel.size(), 1, kernels::block_lanes(isa)};
    std::vector<float> values(static_cast<size_t>(shape.floats()));
    std::copy_n(by_channel.data<float>(), by_channel.size(), values.begin());
    return values;
  }

  int64_t channels_;
  std::vector<float> scale_, bias_;
  double epsilon_;
  Isa isa_;
};

}  // namespace

bool is_channel_layer_norm(const Region& region) {
  if (region.nodes.size() != 3 || region.anchor != 1 || region.inputs.size() != 1 ||
      region.outputs.size() != 1)
    return false;
  const Node &before = *region.nodes[0], &norm = *region.nodes[1], &after = *region.nodes[2];
  if (norm.op != Op::kLayerNormalization || !turns_channels_last(before) || !turns_channels_first(after) ||
      norm.inputs[0] != before.outputs[0] || !norm.has_output(0) || after.inputs[0] != norm.outputs[0] ||
      norm.has_output(1) || norm.has_output(2))
    return false;
  const ValueType& type = region.type(region.inputs[0]);
  if (!is_over_last_of_four(norm) || !type.is_tensor() || type.element != DataType::kFloat32 || !type.shape)
    return false;
  const auto channels = (*type.shape)[1].constant();
  for (size_t i : {1, 2}) {
    if (i == 2 && !norm.has_input(2)) break;
    const Tensor* parameter = region.constant_input(norm, i);
    if (parameter == nullptr || !channels || !is_along_line(*parameter, {*channels})) return false;
  }
  return channels.value_or(0) > 0;
}

Result<std::unique_ptr<Kernel>> prepare_channel_layer_norm(Isa isa, const Region& region) {
  const Node& norm = region.anchor_node();
  return std::unique_ptr<Kernel>(std::make_unique<ChannelLayerNormKernel>(
      *region.constant_input(norm, 1), region.constant_input(norm, 2), norm.attributes.real("epsilon", 1e-5f),
      isa));
}

}  // namespace tenon::ops
