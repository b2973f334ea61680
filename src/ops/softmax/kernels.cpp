// Rows for Softmax of float32 along the last axis, by itself and as the anchor of attention in parts.
#include "ops/softmax/kernels.h"

#include "kernels/lines/lines.h"
#include "ops/attention/parts.h"
#include "ops/core/services.h"

namespace tenon::ops {

namespace {

bool fits(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || region.inputs.size() != 1) return false;
  const ValueType& type = region.type(region.inputs[0]);
  if (!type.is_tensor() || type.element != DataType::kFloat32 || !type.shape || type.shape->empty())
    return false;
  const int64_t axis = node.attributes.integer("axis", -1);
  return axis == -1 || axis == static_cast<int64_t>(type.shape->size()) - 1;
}

template <Isa kIsa>
class SoftmaxKernel final : public Kernel {
 public:
  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const int64_t length = x.shape().back();
    Tensor& y = context.output(0, DataType::kFloat32, x.shape());
    if (length > 0)
      kernels::softmax_lines(x.data<float>(), y.mutable_data<float>(), x.size() / length, length, kIsa,
                             kernel_services(context));
    return {};
  }
};

bool fits_in_attention(const Region& region) {
  return attention_parts(region).has_value();
}

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare_attention(const Region& region, kernels::Packing&) {
  return make_attention_parts(region, kIsa);
}

template <Isa kIsa>
Result<std::unique_ptr<Kernel>> prepare(const Region&, kernels::Packing&) {
  return std::unique_ptr<Kernel>(std::make_unique<SoftmaxKernel<kIsa>>());
}

}  // namespace

#define TENON_SOFTMAX_ROWS(suffix, isa)                                           \
  {"softmax_f32_" suffix, isa, fits, prepare<isa>}, {                             \
    "attention_parts_f32_" suffix, isa, fits_in_attention, prepare_attention<isa> \
  }
const KernelRow kSoftmaxRows[6] = {TENON_SOFTMAX_ROWS("avx512", Isa::kAvx512),
                                   TENON_SOFTMAX_ROWS("avx2", Isa::kAvx2),
                                   TENON_SOFTMAX_ROWS("portable", Isa::kPortable)};
#undef TENON_SOFTMAX_ROWS

}  // namespace tenon::ops
