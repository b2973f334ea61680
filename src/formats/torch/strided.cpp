#include "formats/torch/strided.h"

#include <cstring>

#include "base/try.h"

namespace tenon {

namespace {

constexpr size_t kMaxRank = 64;

/// Alignment that an element type needs to be read in place: its own size, complex numbers their part's.
size_t alignment_bytes(DataType type) {
  const bool is_complex = type == DataType::kComplex64 || type == DataType::kComplex128;
  return is_complex ? element_size(type) / 2 : element_size(type);
}

/// True when the elements lie in row-major order without gaps. Strides of dimensions of size 1 mean nothing.
bool is_dense(const StridedLayout& layout) {
  int64_t expected = 1;
  for (size_t axis = layout.sizes.size(); axis-- > 0;) {
    if (layout.sizes[axis] != 1 && layout.strides[axis] != expected) return false;
    expected *= layout.sizes[axis];
  }
  return true;
}

/// Copies `layout.sizes[axis...]` from `source` to `target`, which it advances.
void gather(const StridedLayout& layout, size_t axis, size_t item_bytes, const std::byte* source,
            std::byte*& target) {
  if (axis == layout.sizes.size()) {
    std::memcpy(target, source, item_bytes);
    target += item_bytes;
    return;
  }
  const size_t step = static_cast<size_t>(layout.strides[axis]) * item_bytes;
  const auto count = static_cast<size_t>(layout.sizes[axis]);
  if (axis + 1 == layout.sizes.size() && step == item_bytes) {
    std::memcpy(target, source, count * item_bytes);
    target += count * item_bytes;
    return;
  }
  for (size_t i = 0; i < count; ++i) gather(layout, axis + 1, item_bytes, source + i * step, target);
}

}  // namespace

Status check_layout(const StridedLayout& layout, int64_t storage_elements) {
  if (layout.sizes.size() != layout.strides.size()) {
    return fail(ErrorCode::kMalformed, "the tensor has {} sizes but {} strides", layout.sizes.size(),
                layout.strides.size());
  }
  if (layout.sizes.size() > kMaxRank) {
    return fail(ErrorCode::kMalformed, "the tensor has {} dimensions, and at most {} are possible",
                layout.sizes.size(), kMaxRank);
  }
  const Result<int64_t> count = element_count(layout.sizes);
  if (!count.ok()) return count.error();
  bool outside = layout.offset < 0;
  int64_t last = layout.offset;
  for (size_t axis = 0; axis < layout.sizes.size(); ++axis) {
    if (layout.strides[axis] < 0) {
      return fail(ErrorCode::kMalformed, "the tensor has a negative stride in {}", to_string(layout.strides));
    }
    int64_t reach = 0;
    const int64_t steps = layout.sizes[axis] > 0 ? layout.sizes[axis] - 1 : 0;
    outside = outside || __builtin_mul_overflow(steps, layout.strides[axis], &reach) ||
              __builtin_add_overflow(last, reach, &last);
  }
  // An empty tensor reads nothing, wherever its offset points.
  if (outside || (*count > 0 && last >= storage_elements)) {
    return fail(ErrorCode::kMalformed,
                "the tensor of shape {}, strides {} and offset {} reaches outside its storage of {} elements",
                to_string(layout.sizes), to_string(layout.strides), layout.offset, storage_elements);
  }
  return {};
}

std::vector<int64_t> contiguous_strides(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t step = 1;
  for (size_t axis = sizes.size(); axis-- > 0;) {
    strides[axis] = step;
    if (sizes[axis] > 1 && __builtin_mul_overflow(step, sizes[axis], &step)) step = 0;
  }
  return strides;
}

Result<Tensor> load_strided(DataType type, const StridedLayout& layout, const SharedBytes& storage,
                            size_t& budget_bytes) {
  const size_t item_bytes = element_size(type);
  TENON_TRY(check_layout(layout, static_cast<int64_t>(storage.size() / item_bytes)));
  const auto count = static_cast<size_t>(TENON_TRY(element_count(layout.sizes)));
  if (count == 0) return Tensor::allocate(type, layout.sizes);
  const std::byte* source = storage.data() + static_cast<size_t>(layout.offset) * item_bytes;
  const bool aligned = reinterpret_cast<uintptr_t>(source) % alignment_bytes(type) == 0;
  if (aligned && is_dense(layout)) return Tensor::view(type, layout.sizes, source, storage.owner);
  if (count > budget_bytes / item_bytes) {
    return fail(ErrorCode::kLimit,
                "the tensor of shape {} over a storage of {} bytes would take too much memory",
                to_string(layout.sizes), storage.size());
  }
  budget_bytes -= count * item_bytes;
  Tensor result = Tensor::allocate(type, layout.sizes);
  std::byte* target = result.mutable_raw();
  gather(layout, 0, item_bytes, source, target);
  return result;
}

}  // namespace tenon
