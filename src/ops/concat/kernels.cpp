// Rows for Concat of float32 images along their channels in the blocked layout: whole blocks move.
#include "ops/concat/kernels.h"

#include <algorithm>

#include "kernels/layout/blocked.h"
#include "ops/channels/kernels.h"

namespace tenon::ops {

namespace {

/// Every operand but the last fills its blocks, so that all begin at one.
template <Isa kIsa>
bool fits(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || node.inputs.size() != region.inputs.size())
    return false;  // no constants, each once
  const int64_t axis = node.attributes.integer("axis");
  for (ValueId id : node.inputs) {
    const ValueType& type = region.type(id);
    if (!type.is_tensor() || type.element != DataType::kFloat32 || !type.shape || type.shape->size() != 4)
      return false;
    const auto channels = (*type.shape)[1].constant();
    if (!channels || (id != node.inputs.back() && *channels % kernels::block_lanes(kIsa) != 0)) return false;
  }
  return axis == 1 || axis == -3;
}

class BlockedConcat final : public Kernel {
 public:
  Status run(KernelContext& context) const override {
    // [N, blocks, H, W, lanes] each
    Shape shape = context.input(0).shape();
    for (size_t i = 1; i < context.input_count(); ++i) {
      const Shape& other = context.input(i).shape();
      if (other[0] != shape[0] || !std::equal(other.begin() + 2, other.end(), shape.begin() + 2))
        return fail(ErrorCode::kInvalidModel, "inputs of shapes {} and {} do not fit together",
                    to_string(context.input(0).shape()), to_string(other));
      shape[1] += other[1];
    }
    float* to = context.output(0, DataType::kFloat32, shape).mutable_data<float>();
    const int64_t plane = shape[2] * shape[3] * shape[4];
    const int64_t count = static_cast<int64_t>(context.input_count());
    context.parallel_for(shape[0] * count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const int64_t image = k / count, operand = k % count;
        int64_t first = 0;
        for (int64_t i = 0; i < operand; ++i) first += context.input(static_cast<size_t>(i)).dim(1);
        const Tensor& x = context.input(static_cast<size_t>(operand));
        const int64_t floats = x.dim(1) * plane;
        std::copy_n(x.data<float>() + image * floats, floats, to + (image * shape[1] + first) * plane);
      }
    });
    return {};
  }
};

Result<std::unique_ptr<Kernel>> prepare(const Region&, kernels::Packing&) {
  return std::unique_ptr<Kernel>(std::make_unique<BlockedConcat>());
}

constexpr RowLayouts kBlocked{Layout::kBlocked, Layout::kBlocked, false};

}  // namespace

const KernelRow kConcatRows[6] = {
    {"concat_blocked_f32_avx512", Isa::kAvx512, fits<Isa::kAvx512>, prepare, kBlocked},
    {"concat_blocked_f32_avx2", Isa::kAvx2, fits<Isa::kAvx2>, prepare, kBlocked},
    {"concat_blocked_f32_portable", Isa::kPortable, fits<Isa::kPortable>, prepare, kBlocked},
    kChannelMoveRows[0],
    kChannelMoveRows[1],
    kChannelMoveRows[2],
};

}  // namespace tenon::ops
