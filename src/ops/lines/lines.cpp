#include "ops/lines/lines.h"

namespace tenon::ops {

Result<Lines> Lines::along(const Shape& shape, int64_t axis) {
  const auto rank = static_cast<int64_t>(shape.size());
  if (axis < -std::max<int64_t>(rank, 1) || axis >= std::max<int64_t>(rank, 1))
    return fail(ErrorCode::kMismatch, "axis {} is outside a tensor of rank {}", axis, rank);
  Lines lines;
  if (rank == 0) return lines;
  const int64_t at = axis < 0 ? axis + rank : axis;
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t dim = shape[static_cast<size_t>(i)];
    (i < at ? lines.outer : i == at ? lines.length : lines.inner) *= dim;
  }
  return lines;
}

}  // namespace tenon::ops
