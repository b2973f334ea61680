#include "kernels/strided_copy.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/cpu.h"
#include "kernels/gemm/pack.h"
#include "tensor/width.h"

namespace tenon::kernels {

namespace {

// The innermost dimension: `count` elements from one stride to another.
template <class T>
void copy_line(const T* in, int64_t in_stride, T* out, int64_t out_stride, int64_t count) {
  if (out_stride == 1 && in_stride == 1) {
    std::copy_n(in, count, out);
  } else if (out_stride == 1 && in_stride == 0) {
    std::fill_n(out, count, *in);
  } else {
    for (int64_t i = 0; i < count; ++i) out[i * out_stride] = in[i * in_stride];
  }
}

// Side of the squares in which a two-dimensional transposition walks, so that both sides stay in cache.
constexpr int64_t kTile = 32;

}  // namespace

std::vector<int64_t> dense_strides(std::span<const int64_t> shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

StridedCopy::StridedCopy(DataType type, std::span<const int64_t> shape, std::span<const int64_t> in_strides,
                         std::span<const int64_t> out_strides)
    : type_(type) {
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) {
      dims_ = {{0, 0, 0}};
      return;
    }
    if (shape[i] == 1) continue;
    Dim dim{shape[i], in_strides[i], out_strides[i]};
    if (!dims_.empty() && dims_.back().in_stride == dim.in_stride * dim.length &&
        dims_.back().out_stride == dim.out_stride * dim.length) {
      dims_.back() = {dims_.back().length * dim.length, dim.in_stride, dim.out_stride};
    } else {
      dims_.push_back(dim);
    }
  }
  if (dims_.empty()) dims_ = {{1, 1, 1}};
  for (size_t i = 1; i < dims_.size(); ++i) inner_size_ *= dims_[i].length;
}

template <class T>
void StridedCopy::copy(const T* in, T* out, size_t depth, int64_t begin, int64_t end) const {
  const Dim& dim = dims_[depth];
  if (depth + 1 == dims_.size()) {
    copy_line(in + begin * dim.in_stride, dim.in_stride, out + begin * dim.out_stride, dim.out_stride,
              end - begin);
    return;
  }
  const Dim& next = dims_[depth + 1];
  if (depth + 2 == dims_.size() && dim.in_stride == 1 && next.in_stride != 1) {
    for (int64_t i = begin; i < end; i += kTile) {
      const int64_t rows = std::min(kTile, end - i);
      for (int64_t j = 0; j < next.length; j += kTile) {
        const int64_t columns = std::min(kTile, next.length - j);
        const T* from = in + i + j * next.in_stride;
        T* to = out + i * dim.out_stride + j * next.out_stride;
        if constexpr (sizeof(T) == sizeof(float)) {
          if (next.out_stride == 1) {
            pack_functions(available_isa())
                .transposed(reinterpret_cast<const float*>(from), next.in_stride, columns, rows,
                            dim.out_stride, reinterpret_cast<float*>(to));
            continue;
          }
        }
        for (int64_t k = 0; k < rows; ++k)
          copy_line(from + k, next.in_stride, to + k * dim.out_stride, next.out_stride, columns);
      }
    }
    return;
  }
  for (int64_t i = begin; i < end; ++i)
    copy(in + i * dim.in_stride, out + i * dim.out_stride, depth + 1, 0, next.length);
}

void StridedCopy::run(const std::byte* in, std::byte* out, int64_t begin, int64_t end) const {
  by_width(type_, [&]<class T>(std::type_identity<T>) {
    copy(reinterpret_cast<const T*>(in), reinterpret_cast<T*>(out), 0, begin, end);
  });
}

}  // namespace tenon::kernels
