// Rows for float32 images between channels last, [N, H, W, C] in the plain layout, and the blocked layout of
// [N, C, H, W]: whole vectors of channels move.
#include "ops/transpose/kernels.h"

#include "kernels/layout/blocked.h"
#include "ops/core/services.h"
#include "ops/transpose/channels_last.h"

namespace tenon::ops {

namespace {

bool is_image_with_channels(const ValueType& type, size_t axis, int64_t least) {
  return type.is_tensor() && type.element == DataType::kFloat32 && type.shape && type.shape->size() == 4 &&
         (*type.shape)[axis].constant().value_or(0) >= least;
}

/// Few channels would leave most of a block empty.
constexpr int64_t kLeastChannels = 16;

bool fits_from_channels_last(const Region& region) {
  const Node& node = *region.nodes[0];
  return region.is_single() && turns_channels_first(node) &&
         is_image_with_channels(region.type(node.inputs[0]), 3, kLeastChannels) &&
         is_image_with_channels(region.type(node.outputs[0]), 1, kLeastChannels);
}

bool fits_to_channels_last(const Region& region) {
  const Node& node = *region.nodes[0];
  return region.is_single() && turns_channels_last(node) &&
         is_image_with_channels(region.type(node.inputs[0]), 1, 1);
}

class FromChannelsLast final : public Kernel {
 public:
  explicit FromChannelsLast(int64_t lanes) : lanes_(lanes) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const kernels::BlockedShape shape{x.dim(0), x.dim(3), x.dim(1) * x.dim(2), lanes_};
    Tensor& y = context.output(0, DataType::kFloat32, {x.dim(0), shape.blocks(), x.dim(1), x.dim(2), lanes_});
    kernels::channels_last_to_blocked(shape, x.data<float>(), y.mutable_data<float>(),
                                      kernel_services(context));
    return {};
  }

 private:
  int64_t lanes_;
};

class ToChannelsLast final : public Kernel {
 public:
  ToChannelsLast(int64_t channels, int64_t lanes) : channels_(channels), lanes_(lanes) {}

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const kernels::BlockedShape shape{x.dim(0), channels_, x.dim(2) * x.dim(3), lanes_};
    Tensor& y = context.output(0, DataType::kFloat32, {x.dim(0), x.dim(2), x.dim(3), channels_});
    kernels::blocked_to_channels_last(shape, x.data<float>(), y.mutable_data<float>(),
                                      kernel_services(context));
    return {};
  }

 private:
  int64_t channels_, lanes_;
};

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare_from(const Region&, kernels::Packing&) {
  return std::unique_ptr<Kernel>(std::make_unique<FromChannelsLast>(kernels::block_lanes(kIsa)));
}

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare_to(const Region& region, kernels::Packing&) {
  const int64_t channels = *(*region.type(region.nodes[0]->inputs[0]).shape)[1].constant();
  return std::unique_ptr<Kernel>(std::make_unique<ToChannelsLast>(channels, kernels::block_lanes(kIsa)));
}

// What follows a transpose to [N, C, H, W] are convolutions, and maps that need not be blocked.
constexpr RowLayouts kToBlocked{Layout::kPlain, Layout::kBlocked, true};
constexpr RowLayouts kFromBlocked{Layout::kBlocked, Layout::kPlain, false};

}  // namespace

#define TENON_TRANSPOSE_ROWS(suffix, isa)                                                              \
  {"transpose_to_blocked_f32_" suffix, isa, fits_from_channels_last, prepare_from<isa>, kToBlocked}, { \
    "transpose_from_blocked_f32_" suffix, isa, fits_to_channels_last, prepare_to<isa>, kFromBlocked    \
  }
const KernelRow kTransposeRows[6] = {TENON_TRANSPOSE_ROWS("avx512", Isa::kAvx512),
                                     TENON_TRANSPOSE_ROWS("avx2", Isa::kAvx2),
                                     TENON_TRANSPOSE_ROWS("portable", Isa::kPortable)};
#undef TENON_TRANSPOSE_ROWS

}  // namespace tenon::ops
