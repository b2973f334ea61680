// BroadcastPlan: how the elements of several tensors line up under ONNX's multidirectional broadcasting.
// Every element-wise reference reads its inputs through one, in chunks of the output's elements.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/try.h"
#include "tenon/tensor.h"
#include "tensor/element.h"

namespace tenon::ops {

class BroadcastPlan {
 public:
  /// Lines up tensors of these shapes. kMismatch when they do not broadcast to one shape.
  static Result<BroadcastPlan> make(const std::vector<Shape>& inputs);

  /// The broadcast shape, and the number of its elements.
  const Shape& shape() const { return shape_; }
  int64_t size() const { return size_; }

  /// Calls visit(position, offset, length, step) for the runs of elements that input `input` gives to the
  /// output elements [begin, begin + count): `length` elements at `position` of the range come from `offset`
  /// of the input, all in order (step 1) or all the same one (step 0).
  template <class Visit>
  void for_runs(size_t input, int64_t begin, int64_t count, Visit&& visit) const;

  /// Where the elements of an input for a run of the output's begin, in order (step 1) or all the same one
  /// (step 0).
  struct Step {
    int64_t offset, step;
  };
  /// Calls visit(position, input 0's Step, input 1's Step, length) for runs that both inputs of a plan of two
  /// give as for_runs says.
  template <class Visit>
  void for_pairs(int64_t begin, int64_t count, Visit&& visit) const;

  /// The values of input `input` for the output elements [begin, begin + count), as compute type T.
  template <class T>
  void load(size_t input, const Tensor& tensor, int64_t begin, int64_t count, T* out) const;

 private:
  // Strides of one input over dims_, in elements; 0 where it is broadcast.
  struct Input {
    std::vector<int64_t> strides;
    bool contiguous = false;  // each output element has its own input element, in order
    bool scalar = false;      // one element for all
  };
  int64_t offset(const Input& input, int64_t row) const;

  Shape shape_;
  int64_t size_ = 0;
  std::vector<int64_t> dims_;  // the output's dimensions, neighbours merged where no input tells them apart
  std::vector<Input> inputs_;
};

inline int64_t BroadcastPlan::offset(const Input& input, int64_t row) const {
  int64_t result = 0;
  for (size_t d = dims_.size() - 1; d-- > 0;) {
    result += (row % dims_[d]) * input.strides[d];
    row /= dims_[d];
  }
  return result;
}

template <class Visit>
void BroadcastPlan::for_runs(size_t input, int64_t begin, int64_t count, Visit&& visit) const {
  const Input& in = inputs_[input];
  if (in.contiguous) return visit(int64_t{0}, begin, count, int64_t{1});
  if (in.scalar) return visit(int64_t{0}, int64_t{0}, count, int64_t{0});
  const int64_t inner = dims_.back();
  const int64_t step = in.strides.back();
  for (int64_t position = 0; position < count;) {
    const int64_t row = (begin + position) / inner;
    const int64_t column = (begin + position) % inner;
    const int64_t length = std::min(inner - column, count - position);
    visit(position, offset(in, row) + column * step, length, step);
    position += length;
  }
}

template <class Visit>
void BroadcastPlan::for_pairs(int64_t begin, int64_t count, Visit&& visit) const {
  const int64_t inner = dims_.back();
  for (int64_t position = 0; position < count;) {
    const int64_t row = (begin + position) / inner, column = (begin + position) % inner;
    const int64_t length = std::min(inner - column, count - position);
    const auto step = [&](const Input& in) {
      return Step{offset(in, row) + column * in.strides.back(), in.strides.back()};
    };
    visit(position, step(inputs_[0]), step(inputs_[1]), length);
    position += length;
  }
}

template <class T>
void BroadcastPlan::load(size_t input, const Tensor& tensor, int64_t begin, int64_t count, T* out) const {
  for_runs(input, begin, count, [&](int64_t position, int64_t offset, int64_t length, int64_t step) {
    load_elements<T>(tensor.type(), tensor.raw(), offset, step != 0 ? length : 1, out + position);
    if (step == 0) std::fill(out + position + 1, out + position + length, out[position]);
  });
}

}  // namespace tenon::ops
