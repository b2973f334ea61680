#include "ops/elementwise/broadcast.h"

namespace tenon::ops {

namespace {

// The dimension of `shape` that stands at `axis` of an output of `rank`; 1 where it has none.
int64_t aligned_dim(const Shape& shape, size_t rank, size_t axis) {
  return axis + shape.size() >= rank ? shape[axis + shape.size() - rank] : 1;
}

}  // namespace

Result<BroadcastPlan> BroadcastPlan::make(const std::vector<Shape>& inputs) {
  BroadcastPlan plan;
  size_t rank = 0;
  for (const Shape& shape : inputs) rank = std::max(rank, shape.size());
  plan.shape_.assign(rank, 1);
  for (const Shape& shape : inputs) {
    for (size_t axis = 0; axis < rank; ++axis) {
      int64_t& dim = plan.shape_[axis];
      const int64_t other = aligned_dim(shape, rank, axis);
      if (other == 1 || other == dim) continue;
      if (dim != 1)
        return fail(ErrorCode::kMismatch, "shapes {} and {} do not broadcast", to_string(inputs[0]),
                    to_string(shape));
      dim = other;
    }
  }
  plan.size_ = TENON_TRY(element_count(plan.shape_));

  // Strides over the output's dimensions longer than 1, outermost first.
  plan.inputs_.resize(inputs.size());
  std::vector<std::vector<int64_t>> strides(inputs.size());
  std::vector<int64_t> dims;
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::vector<int64_t> reversed;
    int64_t stride = 1;
    for (size_t axis = rank; axis-- > 0;) {
      const int64_t dim = aligned_dim(inputs[i], rank, axis);
      if (plan.shape_[axis] != 1) reversed.push_back(dim == 1 ? 0 : stride);
      stride *= std::max<int64_t>(dim, 1);
    }
    strides[i].assign(reversed.rbegin(), reversed.rend());
  }
  for (int64_t dim : plan.shape_)
    if (dim != 1) dims.push_back(dim);

  // A dimension joins its outer neighbour when every input steps through both as through one.
  for (size_t d = 0; d < dims.size(); ++d) {
    bool joins = !plan.dims_.empty();
    for (size_t i = 0; i < inputs.size() && joins; ++i)
      joins = plan.inputs_[i].strides.back() == strides[i][d] * dims[d];
    if (joins) {
      plan.dims_.back() *= dims[d];
      for (size_t i = 0; i < inputs.size(); ++i) plan.inputs_[i].strides.back() = strides[i][d];
    } else {
      plan.dims_.push_back(dims[d]);
      for (size_t i = 0; i < inputs.size(); ++i) plan.inputs_[i].strides.push_back(strides[i][d]);
    }
  }
  if (plan.dims_.empty()) {
    plan.dims_.push_back(1);
    for (Input& input : plan.inputs_) input.strides.push_back(1);
  }
  for (Input& input : plan.inputs_) {
    input.scalar = std::all_of(input.strides.begin(), input.strides.end(), [](int64_t s) { return s == 0; });
    int64_t stride = 1;
    input.contiguous = true;
    for (size_t d = plan.dims_.size(); d-- > 0;) {
      input.contiguous = input.contiguous && input.strides[d] == stride;
      stride *= plan.dims_[d];
    }
  }
  return plan;
}

}  // namespace tenon::ops
