#include "ops/reduce/plan.h"

namespace tenon::ops {

Result<std::vector<bool>> reduced_axes(std::span<const int64_t> axes, int64_t rank, bool noop) {
  std::vector<bool> reduced(static_cast<size_t>(rank), axes.empty() && !noop);
  for (int64_t axis : axes) {
    if (axis < -rank || axis >= rank)
      return fail(ErrorCode::kMismatch, "axis {} is outside a tensor of rank {}", axis, rank);
    reduced[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  return reduced;
}

ReducePlan::ReducePlan(const Shape& input, const std::vector<bool>& reduced) {
  struct Stretch {
    int64_t size, stride;
    bool reduced;
  };
  std::vector<Stretch> stretches;  // innermost first
  int64_t stride = 1;
  for (size_t axis = input.size(); axis-- > 0;) {
    const int64_t dim = input[axis];
    (reduced[axis] ? group_ : outputs_) *= dim;
    if (dim != 1) {
      if (!stretches.empty() && stretches.back().reduced == reduced[axis])
        stretches.back().size *= dim;
      else
        stretches.push_back({dim, stride, reduced[axis]});
    }
    stride *= dim;
  }
  if (!stretches.empty()) {
    inner_ = stretches.front().size;
    inner_reduced_ = stretches.front().reduced;
  }
  for (size_t i = stretches.size(); i-- > 0;) {
    const Stretch& s = stretches[i];
    if (!s.reduced)
      kept_.push_back({s.size, s.stride});
    else if (i != 0)
      reduced_.push_back({s.size, s.stride});
  }
}

}  // namespace tenon::ops
