// ReducePlan: which input elements each output element of a reduction is made of. Dimensions of the input are
// merged where neighbours are reduced or kept alike, so that loops run over long contiguous stretches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/try.h"
#include "tenon/tensor.h"

namespace tenon::ops {

/// Marks the axes to reduce: all when `axes` is empty and `noop` is not set, none when it is. Axes may be
/// negative and may repeat. kMismatch for an axis outside [-rank, rank).
Result<std::vector<bool>> reduced_axes(std::span<const int64_t> axes, int64_t rank, bool noop);

class ReducePlan {
 public:
  ReducePlan(const Shape& input, const std::vector<bool>& reduced);

  int64_t outputs() const { return outputs_; }           ///< Elements of the output.
  int64_t group() const { return group_; }               ///< Input elements behind each output element.
  bool inner_reduced() const { return inner_reduced_; }  ///< Whether the innermost stretch is reduced.
  /// Length of the innermost stretch of input elements that are next to each other.
  int64_t inner() const { return inner_; }

  /// Where the group of output `index` begins in the input. Groups of the `inner` outputs that share a
  /// stretch (when that is kept) are next to each other.
  int64_t group_offset(int64_t index) const { return offset(kept_, index); }
  /// Where the k-th stretch (inner reduced) or element (inner kept) of a group lies after its begin.
  int64_t member_offset(int64_t k) const { return offset(reduced_, k); }
  int64_t members() const { return inner_reduced_ ? (inner_ == 0 ? 0 : group_ / inner_) : group_; }

 private:
  struct Dim {
    int64_t size, stride;
  };
  static int64_t offset(const std::vector<Dim>& dims, int64_t index) {
    int64_t result = 0;
    for (size_t d = dims.size(); d-- > 0;) {
      result += (index % dims[d].size) * dims[d].stride;
      index /= dims[d].size;
    }
    return result;
  }

  std::vector<Dim> kept_;     // outermost first
  std::vector<Dim> reduced_;  // outermost first, without the innermost stretch when that is reduced
  int64_t outputs_ = 1;
  int64_t group_ = 1;
  int64_t inner_ = 1;
  bool inner_reduced_ = false;
};

}  // namespace tenon::ops
