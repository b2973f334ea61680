// Rows for maps of float32: an element-wise operator with the element-wise operators after it, in one pass,
// in the plain layout and in the blocked one; and the list of those of arithmetic.
#include "ops/elementwise/kernels.h"

#include "kernels/elementwise/map.h"
#include "kernels/layout/blocked.h"
#include "ops/core/services.h"
#include "ops/fusion/tail.h"

namespace tenon::ops {

namespace {

bool fits(const Region& region) {
  return fused_map(region).has_value();
}

class MapKernel final : public Kernel {
 public:
  /// `lanes` is 1 in the plain layout.
  MapKernel(FusedMap map, int64_t lanes, Isa isa)
      : map_(std::move(map)), epilogue_(map_.tail.ops, isa), lanes_(lanes), isa_(isa) {
    // Lanes beyond the last channel are scaled, too.
    const size_t channels = map_.channels.scale.size(), padded = (channels + lanes - 1) / lanes * lanes;
    map_.channels.scale.resize(padded);
    map_.channels.shift.resize(padded);
  }

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(map_.input);
    const auto operands = TENON_TRY(tail_operands(map_.tail, context, x.shape()));
    kernels::MapCall call;
    call.count = x.size();
    call.input = x.data<float>();
    call.operands = operands.data();
    if (map_.channels.any()) TENON_TRY(scale_channels(context, x, call));
    call.output = context.output(0, DataType::kFloat32, x.shape()).mutable_data<float>();
    kernels::map(call, epilogue_, isa_, kernel_services(context));
    return {};
  }

 private:
  Status scale_channels(KernelContext& context, const Tensor& x, kernels::MapCall& call) const {
    call.lanes = lanes_;
    call.planes_of_an_image = x.dim(1);
    call.plane = x.dim(2) * x.dim(3) * lanes_;
    if (!map_.channels.scale_operand) {
      call.scale = map_.channels.scale.data();
      call.shift = map_.channels.shift.data();
      return {};
    }
    const Tensor& scale = context.input(*map_.channels.scale_operand);
    if (scale.size() != x.dim(0) * x.dim(1) * lanes_)
      return fail(ErrorCode::kMismatch, "an operand has shape {}, which does not scale the channels of {}",
                  to_string(scale.shape()), to_string(x.shape()));
    call.scale = scale.data<float>();
    call.scale_by_plane = true;
    return {};
  }

  FusedMap map_;
  kernels::Epilogue epilogue_;
  int64_t lanes_;
  Isa isa_;
};

template <bool kIsBlocked, Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region& region, kernels::Packing&) {
  return std::unique_ptr<Kernel>(
      std::make_unique<MapKernel>(*fused_map(region), kIsBlocked ? kernels::block_lanes(kIsa) : 1, kIsa));
}

bool fits_blocked(const Region& region) {
  const ValueType& type = region.type(region.outputs[0]);
  return type.shape && type.shape->size() == 4 && fits(region);
}

constexpr RowLayouts kBlocked{Layout::kBlocked, Layout::kBlocked, false};

template <Isa kIsa>
constexpr KernelRow broadcast_row(std::string_view name) {
  return {name, kIsa, fits_broadcast,
          [](const Region& region, kernels::Packing&) { return prepare_broadcast(kIsa, region); }};
}

}  // namespace

#define TENON_MAP_ROWS                                                                                     \
  {"map_blocked_f32_avx512", Isa::kAvx512, fits_blocked, prepare<true, Isa::kAvx512>, kBlocked},           \
      {"map_blocked_f32_avx2", Isa::kAvx2, fits_blocked, prepare<true, Isa::kAvx2>, kBlocked},             \
      {"map_blocked_f32_portable", Isa::kPortable, fits_blocked, prepare<true, Isa::kPortable>, kBlocked}, \
      {"map_f32_avx512", Isa::kAvx512, fits, prepare<false, Isa::kAvx512>},                                \
      {"map_f32_avx2", Isa::kAvx2, fits, prepare<false, Isa::kAvx2>}, {                                    \
    "map_f32_portable", Isa::kPortable, fits, prepare<false, Isa::kPortable>                               \
  }
const KernelRow kMapRows[6] = {TENON_MAP_ROWS};
const KernelRow kArithmeticRows[9] = {
    TENON_MAP_ROWS,
    broadcast_row<Isa::kAvx512>("broadcast_f32_avx512"),
    broadcast_row<Isa::kAvx2>("broadcast_f32_avx2"),
    broadcast_row<Isa::kPortable>("broadcast_f32_portable"),
};
#undef TENON_MAP_ROWS

}  // namespace tenon::ops
