#include "ops/channels/kernels.h"

#include <span>

#include "kernels/layout/blocked.h"
#include "ops/channels/moves.h"
#include "ops/core/services.h"

namespace tenon::ops {

namespace {

class ChannelMovesKernel final : public Kernel {
 public:
  ChannelMovesKernel(const MovedChannels& moved, Isa isa)
      : inputs_(moved.inputs),
        results_(moved.outputs.size()),
        moves_(moved.outputs, isa),
        lanes_(kernels::block_lanes(isa)) {}

  Status run(KernelContext& context) const override {
    const Tensor& first = context.input(inputs_[0]);  // [N, blocks, H, W, lanes]
    const kernels::Services services = kernel_services(context);
    const size_t count = inputs_.size();
    const std::span<const float*> inputs(services.scratch_array<const float*>(static_cast<int64_t>(count)),
                                         count);
    const std::span<int64_t> blocks(services.scratch_array<int64_t>(static_cast<int64_t>(count)), count);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const Tensor& x = context.input(inputs_[i]);
      if (x.dim(0) != first.dim(0) || x.dim(2) != first.dim(2) || x.dim(3) != first.dim(3))
        return fail(ErrorCode::kInvalidModel, "inputs of shapes {} and {} do not fit together",
                    to_string(first.shape()), to_string(x.shape()));
      inputs[i] = x.data<float>();
      blocks[i] = x.dim(1);
    }
    const std::span<float*> outputs(services.scratch_array<float*>(static_cast<int64_t>(results_)), results_);
    for (size_t o = 0; o < results_; ++o)
      outputs[o] = context
                       .output(o, DataType::kFloat32,
                               {first.dim(0), moves_.output_blocks(o), first.dim(2), first.dim(3), lanes_})
                       .mutable_data<float>();
    moves_.run(first.dim(0), first.dim(2) * first.dim(3), inputs, blocks, outputs, services);
    return {};
  }

 private:
  std::vector<size_t> inputs_;
  size_t results_;
  kernels::ChannelMoves moves_;
  int64_t lanes_;
};

}  // namespace

bool fits_channel_moves(const Region& region) {
  return moved_channels(region).has_value();
}

Result<std::unique_ptr<Kernel>> prepare_channel_moves(Isa isa, const Region& region) {
  return std::unique_ptr<Kernel>(std::make_unique<ChannelMovesKernel>(*moved_channels(region), isa));
}

}  // namespace tenon::ops
