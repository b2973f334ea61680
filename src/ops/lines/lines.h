// Lines: the elements of a tensor along one axis. What works line by line (Softmax, CumSum, ArgMax, TopK,
// ...) reads blocks of neighbouring lines into contiguous memory here, whatever the axis.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/try.h"
#include "ops/core/kernel.h"
#include "tensor/element.h"

namespace tenon::ops {

/// A tensor seen as outer x length x inner elements, `length` along the axis.
struct Lines {
  int64_t outer = 1, length = 1, inner = 1;

  /// kMismatch when the axis is outside [-rank, rank). A scalar is one line of one element for axes 0 and -1.
  static Result<Lines> along(const Shape& shape, int64_t axis);
  int64_t count() const { return outer * inner; }
};

/// A number of lines that are next to each other: `count` of them from (outer, inner) on.
struct LineBlock {
  int64_t outer, inner, count;
};

/// Reads a block: line k to out[k * length ...].
template <class T>
void load_lines(const Tensor& tensor, const Lines& lines, const LineBlock& block, T* out) {
  const int64_t base = block.outer * lines.length * lines.inner + block.inner;
  if (lines.inner == 1) return load_elements<T>(tensor.type(), tensor.raw(), base, lines.length, out);
  std::vector<T> row(static_cast<size_t>(block.count));
  for (int64_t i = 0; i < lines.length; ++i) {
    load_elements<T>(tensor.type(), tensor.raw(), base + i * lines.inner, block.count, row.data());
    for (int64_t k = 0; k < block.count; ++k) out[k * lines.length + i] = row[static_cast<size_t>(k)];
  }
}

/// The inverse of load_lines.
template <class T>
void store_lines(Tensor& tensor, const Lines& lines, const LineBlock& block, const T* values) {
  const int64_t base = block.outer * lines.length * lines.inner + block.inner;
  if (lines.inner == 1)
    return store_elements<T>(tensor.type(), tensor.mutable_raw(), base, lines.length, values);
  std::vector<T> row(static_cast<size_t>(block.count));
  for (int64_t i = 0; i < lines.length; ++i) {
    for (int64_t k = 0; k < block.count; ++k) row[static_cast<size_t>(k)] = values[k * lines.length + i];
    store_elements<T>(tensor.type(), tensor.mutable_raw(), base + i * lines.inner, block.count, row.data());
  }
}

/// Calls body(block) for blocks that cover all lines, in parallel. Blocks hold some 4096 elements.
template <class Body>
void for_line_blocks(KernelContext& context, const Lines& lines, const Body& body) {
  const int64_t width =
      std::clamp<int64_t>(4096 / std::max<int64_t>(lines.length, 1), 1, std::max<int64_t>(lines.inner, 1));
  const int64_t blocks = (lines.inner + width - 1) / width;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(lines.length * width, 1));
  context.parallel_for(lines.outer * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t inner = b % blocks * width;
      body(LineBlock{b / blocks, inner, std::min(width, lines.inner - inner)});
    }
  });
}

/// Output 0, of the type and shape of input 0, is `function(line, length)` applied in place to each line.
template <class T, class Function>
Status map_lines(KernelContext& context, int64_t axis, const Function& function) {
  const Tensor& input = context.input(0);
  const Lines lines = TENON_TRY(Lines::along(input.shape(), axis));
  Tensor& output = context.output(0, input.type(), input.shape());
  for_line_blocks(context, lines, [&](const LineBlock& block) {
    std::vector<T> values(static_cast<size_t>(block.count * lines.length));
    load_lines<T>(input, lines, block, values.data());
    for (int64_t k = 0; k < block.count; ++k) function(values.data() + k * lines.length, lines.length);
    store_lines<T>(output, lines, block, values.data());
  });
  return {};
}

}  // namespace tenon::ops
