// Unique: the different elements, or slices along an axis, of a tensor.
// https://onnx.ai/onnx/operators/onnx__Unique.html
#include <algorithm>
#include <complex>
#include <numeric>

#include "kernels/strided_copy.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"
#include "tensor/width.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  const SymInt count = context.fresh_symbol();
  std::optional<SymShape> shape = SymShape{count};
  SymInt slices = context.fresh_symbol();
  if (context.attributes().has("axis")) {
    shape.reset();
    if (input != nullptr) {
      shape = *input;
      const auto rank = static_cast<int64_t>(input->size());
      const int64_t axis = TENON_TRY(normalize_axis(context.attributes().integer("axis"), rank));
      slices = (*input)[static_cast<size_t>(axis)];
      (*shape)[static_cast<size_t>(axis)] = count;
    }
  } else if (input != nullptr) {
    slices = element_count(*input);
  }
  context.set_output(0, context.element(0), std::move(shape));
  if (context.has_output(1)) context.set_output(1, DataType::kInt64, SymShape{count});
  if (context.has_output(2)) context.set_output(2, DataType::kInt64, SymShape{slices});
  if (context.has_output(3)) context.set_output(3, DataType::kInt64, SymShape{count});
  return {};
}

// Total orders for the compute types: NaN after every number, and equal to itself.
int compare(double a, double b) {
  if (a != a || b != b) return (a != a) - (b != b);
  return (a > b) - (a < b);
}
template <class T>
int compare(const T& a, const T& b) {
  return (a > b) - (a < b);
}
int compare(const std::complex<double>& a, const std::complex<double>& b) {
  const int real = compare(a.real(), b.real());
  return real != 0 ? real : compare(a.imag(), b.imag());
}

// Which slices are the different ones, and what each slice became.
struct Groups {
  std::vector<int64_t> first;    // of each group: its first slice
  std::vector<int64_t> inverse;  // of each slice: its group
};

// `values` holds slices of `block` elements, one after the other.
template <class T>
Groups group(const std::vector<T>& values, int64_t slices, int64_t block, bool sorted) {
  auto order = [&](int64_t a, int64_t b) {
    for (int64_t i = 0; i < block; ++i) {
      const int c =
          compare(values[static_cast<size_t>(a * block + i)], values[static_cast<size_t>(b * block + i)]);
      if (c != 0) return c;
    }
    return 0;
  };
  std::vector<int64_t> places(static_cast<size_t>(slices));
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
    const int c = order(a, b);
    return c != 0 ? c < 0 : a < b;
  });
  Groups groups;
  groups.inverse.resize(places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    if (i == 0 || order(places[i - 1], places[i]) != 0) groups.first.push_back(places[i]);
    groups.inverse[static_cast<size_t>(places[i])] = static_cast<int64_t>(groups.first.size()) - 1;
  }
  if (sorted) return groups;
  // In order of first occurrence: renumber the groups.
  std::vector<int64_t> ranking(groups.first.size()), renumbered(groups.first.size());
  std::iota(ranking.begin(), ranking.end(), 0);
  std::sort(ranking.begin(), ranking.end(), [&](int64_t a, int64_t b) {
    return groups.first[static_cast<size_t>(a)] < groups.first[static_cast<size_t>(b)];
  });
  for (size_t i = 0; i < ranking.size(); ++i)
    renumbered[static_cast<size_t>(ranking[i])] = static_cast<int64_t>(i);
  std::sort(groups.first.begin(), groups.first.end());
  for (int64_t& g : groups.inverse) g = renumbered[static_cast<size_t>(g)];
  return groups;
}

template <class T>
Groups group_numbers(const Tensor& rows, int64_t slices, int64_t block, bool sorted) {
  std::vector<T> values(static_cast<size_t>(rows.size()));
  load_elements<T>(rows.type(), rows.raw(), 0, rows.size(), values.data());
  return group(values, slices, block, sorted);
}

Groups group_rows(const Tensor& rows, int64_t slices, int64_t block, bool sorted) {
  switch (compute_kind(rows.type())) {
    case ComputeKind::kFloat:
      return group_numbers<double>(rows, slices, block, sorted);
    case ComputeKind::kSigned:
      return group_numbers<int64_t>(rows, slices, block, sorted);
    case ComputeKind::kUnsigned:
      return group_numbers<uint64_t>(rows, slices, block, sorted);
    case ComputeKind::kComplex:
      return group_numbers<std::complex<double>>(rows, slices, block, sorted);
    case ComputeKind::kString:
      break;
  }
  return group(std::vector<std::string>(rows.strings().begin(), rows.strings().end()), slices, block, sorted);
}

// Moves `axis` to the front (or back).
Tensor swap_to_front(const Tensor& tensor, size_t axis, bool back) {
  std::vector<int64_t> strides = kernels::dense_strides(tensor.shape());
  Shape shape = tensor.shape();
  auto middle = [&](auto& list) {
    if (back)
      std::rotate(list.begin(), list.begin() + 1, list.begin() + static_cast<ptrdiff_t>(axis) + 1);
    else
      std::rotate(list.begin(), list.begin() + static_cast<ptrdiff_t>(axis),
                  list.begin() + static_cast<ptrdiff_t>(axis) + 1);
  };
  middle(strides);
  middle(shape);
  Tensor result = Tensor::allocate(tensor.type(), shape);
  kernels::StridedCopy(tensor.type(), shape, strides, kernels::dense_strides(shape))
      .run(tensor.raw(), result.mutable_raw());
  return result;
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  const bool by_axis = context.attributes().has("axis");
  size_t axis = 0;
  Tensor rows = input.reshaped({input.size()});
  if (by_axis) {
    axis = static_cast<size_t>(TENON_TRY(normalize_axis(context.attributes().integer("axis"), input.rank())));
    rows = swap_to_front(input, axis, false);
  }
  const int64_t slices = rows.dim(0);
  const int64_t block = slices == 0 ? 0 : rows.size() / slices;
  const Groups groups = group_rows(rows, slices, block, context.attributes().integer("sorted", 1) != 0);

  Shape shape = rows.shape();
  shape[0] = static_cast<int64_t>(groups.first.size());
  Tensor picked = Tensor::allocate(rows.type(), std::move(shape));
  by_width(rows.type(), [&]<class T>(std::type_identity<T>) {
    T* target = picked.mutable_data<T>();
    for (int64_t place : groups.first) target = std::copy_n(rows.data<T>() + place * block, block, target);
  });
  context.set_output(0, by_axis ? swap_to_front(picked, axis, true) : picked);
  if (context.wants_output(1)) context.set_output(1, Tensor::from_ints(groups.first));
  if (context.wants_output(2)) context.set_output(2, Tensor::from_ints(groups.inverse));
  if (context.wants_output(3)) {
    std::vector<int64_t> counts(groups.first.size(), 0);
    for (int64_t g : groups.inverse) ++counts[static_cast<size_t>(g)];
    context.set_output(3, Tensor::from_ints(counts));
  }
  return {};
}

}  // namespace

constinit const OpDef kUnique{.name = "Unique", .infer = infer, .reference = reference};

}  // namespace tenon::ops
