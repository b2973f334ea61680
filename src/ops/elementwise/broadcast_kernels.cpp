// Rows for sums, differences, products and quotients of two float32 tensors of any shapes that broadcast.
#include "kernels/elementwise/binary_run.h"
#include "ops/core/operand.h"
#include "ops/elementwise/broadcast.h"
#include "ops/elementwise/kernels.h"

namespace tenon::ops {

namespace {

/// Elements that a thread takes at least.
constexpr int64_t kGrain = 8192;

class BroadcastKernel final : public Kernel {
 public:
  BroadcastKernel(const Region& region, kernels::BinaryRun run)
      : run_(run), a_(region, *region.nodes[0], 0), b_(region, *region.nodes[0], 1) {
    const Node& node = *region.nodes[0];
    const auto& a = region.type(node.inputs[0]).shape;
    const auto& b = region.type(node.inputs[1]).shape;
    auto first = a ? constant_shape(*a) : std::nullopt, second = b ? constant_shape(*b) : std::nullopt;
    if (!first || !second) return;
    auto plan = BroadcastPlan::make({*first, *second});
    if (plan.ok()) plan_ = {std::move(*first), std::move(*second), std::move(*plan)};
  }

  Status run(KernelContext& context) const override {
    const Tensor &a = a_.get(context), &b = b_.get(context);
    if (plan_ && a.shape() == plan_->a && b.shape() == plan_->b) return compute(context, a, b, plan_->plan);
    return compute(context, a, b, TENON_TRY(BroadcastPlan::make({a.shape(), b.shape()})));
  }

 private:
  Status compute(KernelContext& context, const Tensor& a, const Tensor& b, const BroadcastPlan& plan) const {
    float* out = context.output(0, DataType::kFloat32, plan.shape()).mutable_data<float>();
    context.parallel_for(plan.size(), kGrain, [&](int64_t begin, int64_t end) {
      plan.for_pairs(
          begin, end - begin,
          [&](int64_t position, BroadcastPlan::Step first, BroadcastPlan::Step second, int64_t length) {
            run_(a.data<float>() + first.offset, first.step, b.data<float>() + second.offset, second.step,
                 out + begin + position, length);
          });
    });
    return {};
  }

  /// For the shapes that the model says.
  struct Planned {
    Shape a, b;
    BroadcastPlan plan;
  };

  kernels::BinaryRun run_;
  Operand a_, b_;
  std::optional<Planned> plan_;
};

}  // namespace

bool fits_broadcast(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || node.inputs.size() != 2) return false;
  for (size_t i : {0, 1}) {
    if (!node.has_input(i)) return false;
    const ValueType& type = region.type(node.inputs[i]);
    if (!type.is_tensor() || type.element != DataType::kFloat32) return false;
  }
  return true;
}

Result<std::unique_ptr<Kernel>> prepare_broadcast(Isa isa, const Region& region) {
  using kernels::BinaryOp;
  const Op op = region.nodes[0]->op;
  const BinaryOp binary = op == Op::kAdd   ? BinaryOp::kAdd
                          : op == Op::kSub ? BinaryOp::kSub
                          : op == Op::kMul ? BinaryOp::kMul
                                           : BinaryOp::kDiv;
  return std::unique_ptr<Kernel>(std::make_unique<BroadcastKernel>(region, kernels::binary_run(binary, isa)));
}

}  // namespace tenon::ops
