#include "ops/reduce/reduce_kernel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "kernels/lines/reduce.h"
#include "ops/reduce/plan.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

using kernels::Reduction;

/// Outputs that lie side by side and are made together.
constexpr int64_t kOutputsMax = 1024;
/// Input elements that are worth a thread.
constexpr int64_t kGrain = 65536;

std::optional<Reduction> reduction_of(Op op) {
  switch (op) {
    case Op::kReduceSum:
    case Op::kReduceMean:
      return Reduction::kSum;
    case Op::kReduceL1:
      return Reduction::kAbsoluteSum;
    case Op::kReduceL2:
    case Op::kReduceSumSquare:
      return Reduction::kSquareSum;
    case Op::kReduceMax:
      return Reduction::kMax;
    case Op::kReduceMin:
      return Reduction::kMin;
    default:
      return std::nullopt;
  }
}

/// What follows from the input's shape.
struct Planned {
  Shape input, output;
  ReducePlan plan;
};

class ReduceKernel final : public Kernel {
 public:
  ReduceKernel(const Region& region, Isa isa)
      : op_(region.nodes[0]->op),
        reduction_(*reduction_of(op_)),
        functions_(kernels::reduce_functions(reduction_, isa)) {
    const Node& node = *region.nodes[0];
    if (const Tensor* axes = region.constant_input(node, 1)) axes_ = to_ints(*axes);
    noop_ = node.attributes.integer("noop_with_empty_axes", 0) != 0;
    keepdims_ = node.attributes.integer("keepdims", 1) != 0;
  }

  Status run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const std::shared_ptr<const Planned> planned = TENON_TRY(plan_for(x.shape()));
    const ReducePlan& plan = planned->plan;
    float* out = context.output(0, DataType::kFloat32, planned->output).mutable_data<float>();
    const float* in = x.data<float>();
    const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(plan.group(), 1));
    context.parallel_for(plan.outputs(), grain, [&](int64_t begin, int64_t end) {
      while (begin < end)
        begin += plan.inner_reduced() || plan.inner() == 0 ? reduce_lines(plan, in, begin, out)
                                                           : reduce_rows(plan, in, begin, end, out);
    });
    return {};
  }

 private:
  double start() const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return reduction_ == Reduction::kMax ? -kInfinity : reduction_ == Reduction::kMin ? kInfinity : 0;
  }
  float finish(double result, int64_t group) const {
    if (op_ == Op::kReduceMean) result /= static_cast<double>(group);
    if (op_ == Op::kReduceL2) result = std::sqrt(result);
    return static_cast<float>(result);
  }

  /// One output, of stretches that are reduced. Returns 1.
  int64_t reduce_lines(const ReducePlan& plan, const float* in, int64_t index, float* out) const {
    double result = start();
    const float* group = in + plan.group_offset(index);
    for (int64_t k = 0; k < plan.members(); ++k)
      result = functions_.line(group + plan.member_offset(k), plan.inner(), result);
    out[index] = finish(result, plan.group());
    return 1;
  }

  /// Some outputs side by side from `index` on, before `end`. Returns how many.
  int64_t reduce_rows(const ReducePlan& plan, const float* in, int64_t index, int64_t end, float* out) const {
    const int64_t width = std::min({kOutputsMax, end - index, plan.inner() - index % plan.inner()});
    double results[kOutputsMax];
    std::fill_n(results, width, start());
    int64_t offsets[kernels::kReduceBlock];
    const float* group = in + plan.group_offset(index);
    for (int64_t k = 0; k < plan.members();) {
      const int64_t rows = std::min(kernels::kReduceBlock, plan.members() - k);
      for (int64_t r = 0; r < rows; ++r, ++k) offsets[r] = plan.member_offset(k);
      functions_.rows(group, offsets, rows, width, results);
    }
    for (int64_t i = 0; i < width; ++i) out[index + i] = finish(results[i], plan.group());
    return width;
  }

  /// The last run's plan, or a new one.
  Result<std::shared_ptr<const Planned>> plan_for(const Shape& shape) const {
    {
      std::lock_guard lock(mutex_);
      if (planned_ != nullptr && planned_->input == shape) return planned_;
    }
    const std::vector<bool> reduced =
        TENON_TRY(reduced_axes(axes_, static_cast<int64_t>(shape.size()), noop_));
    Shape output;
    for (size_t i = 0; i < reduced.size(); ++i)
      if (!reduced[i] || keepdims_) output.push_back(reduced[i] ? 1 : shape[i]);
    auto planned = std::make_shared<const Planned>(Planned{shape, output, ReducePlan(shape, reduced)});
    std::lock_guard lock(mutex_);
    planned_ = planned;
    return std::shared_ptr<const Planned>(planned);
  }

  Op op_;
  Reduction reduction_;
  const kernels::ReduceFunctions& functions_;
  std::vector<int64_t> axes_;
  bool noop_ = false, keepdims_ = true;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Planned> planned_;
};

}  // namespace

bool fits_reduce(const Region& region) {
  const Node& node = *region.nodes[0];
  if (!region.is_single() || !reduction_of(node.op) || !node.has_input(0) || !node.has_output(0) ||
      region.inputs.size() != 1 || region.inputs[0] != node.inputs[0])
    return false;
  const ValueType& type = region.type(node.inputs[0]);
  if (!type.is_tensor() || type.element != DataType::kFloat32) return false;
  const Tensor* axes = region.constant_input(node, 1);
  return !node.has_input(1) || axes != nullptr;
}

Result<std::unique_ptr<Kernel>> prepare_reduce(Isa isa, const Region& region) {
  return std::unique_ptr<Kernel>(std::make_unique<ReduceKernel>(region, isa));
}

}  // namespace tenon::ops
