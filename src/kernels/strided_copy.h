// Copies between two strided boxes of elements: what Transpose, Slice, Expand, Concat, Split, Tile and their
// kin have in common. Knows element widths only, never types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tenon/tensor.h"

namespace tenon::kernels {

/// Strides in elements of a dense row-major box.
std::vector<int64_t> dense_strides(std::span<const int64_t> shape);

/// A copy out[sum(i * out_strides)] = in[sum(i * in_strides)] for all indices i of a box, planned once.
/// Strides count elements and may be zero (a repeated source) or negative (a reversed one). No element of the
/// destination may be named twice.
class StridedCopy {
 public:
  /// The three spans have one entry a dimension. Adjacent dimensions that can be walked as one are joined.
  StridedCopy(DataType type, std::span<const int64_t> shape, std::span<const int64_t> in_strides,
              std::span<const int64_t> out_strides);

  /// Length of the outermost dimension after joining: the range that `run` may be cut into. At least 1, and 0
  /// when the box is empty.
  int64_t outer() const { return dims_.front().length; }
  /// How many elements lie below one step of the outermost dimension.
  int64_t inner_size() const { return inner_size_; }
  /// Copies the part of the box with outermost index in [begin, end). `in` and `out` are the places of
  /// index 0.
  void run(const std::byte* in, std::byte* out, int64_t begin, int64_t end) const;
  /// Copies all of it.
  void run(const std::byte* in, std::byte* out) const { run(in, out, 0, outer()); }

 private:
  struct Dim {
    int64_t length, in_stride, out_stride;
  };
  template <class T>
  void copy(const T* in, T* out, size_t depth, int64_t begin, int64_t end) const;

  DataType type_;
  std::vector<Dim> dims_;  // outermost first, never empty
  int64_t inner_size_ = 1;
};

}  // namespace tenon::kernels
