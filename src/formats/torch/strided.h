// Tensors as PyTorch stores them: a window with strides over a flat storage. Used for every kind of torch
// file.
#pragma once

#include <cstdint>
#include <vector>

#include "base/shared_bytes.h"
#include "tenon/tensor.h"

namespace tenon {

/// Where a tensor's elements lie in its storage; offset and strides count elements.
struct StridedLayout {
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
  int64_t offset = 0;

  friend auto operator<=>(const StridedLayout&, const StridedLayout&) = default;
};

/// Checks that every element lies inside a storage of `storage_elements` elements: as many strides as sizes,
/// none of offset, sizes and strides negative, no product or sum that overflows, at most 64 dimensions.
/// kMalformed.
Status check_layout(const StridedLayout& layout, int64_t storage_elements);

/// The row-major strides of a tensor without gaps. Those that cannot be counted, of a tensor without
/// elements, are 0.
std::vector<int64_t> contiguous_strides(const std::vector<int64_t>& sizes);

/// The tensor that `layout` describes in `storage`, as a dense row-major Tensor: a view that shares the
/// storage's bytes when they lie so already and are aligned for `type`, else a copy. A copy's bytes are taken
/// off `budget_bytes`, which guards against tensors that expand few bytes to many (stride 0); kLimit when it
/// runs out. Checks the layout first. `type` is a numeric type of whole bytes.
Result<Tensor> load_strided(DataType type, const StridedLayout& layout, const SharedBytes& storage,
                            size_t& budget_bytes);

}  // namespace tenon
