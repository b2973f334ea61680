// Einsum (https://onnx.ai/onnx/operators/onnx__Einsum.html): the definition, its shape rule and its
// reference.
#include <algorithm>

#include "kernels/product.h"
#include "ops/core/op_def.h"
#include "ops/einsum/einsum.h"
#include "ops/einsum/equation.h"
#include "ops/spatial/window.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer(InferContext& context) {
  std::vector<SymShape> shapes;
  std::vector<size_t> ranks;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const SymShape* shape = context.shape(i);
    if (!shape) {
      context.set_output(0, context.element(0));
      return {};
    }
    shapes.push_back(*shape);
    ranks.push_back(shape->size());
  }
  const Equation equation = TENON_TRY(parse_equation(context.attributes().string("equation"), ranks));
  const std::vector<LabelSize> sizes = TENON_TRY(label_sizes(equation, shapes));
  SymShape shape;
  for (int label : equation.output) shape.push_back(size_of(sizes, label));
  context.set_output(0, context.element(0), std::move(shape));
  return {};
}

// An array with a label for each axis, no label twice.
template <class T>
struct Labelled {
  Labels labels;
  std::vector<int64_t> shape;
  std::vector<T> data;
};

bool holds(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

// Sums an array with these strides down to `labels`, in that order. Axes of the array that carry the same
// label are walked together (a diagonal); labels that it lacks are not among `labels`.
template <class T>
Labelled<T> reduce_to(const Labels& from, const std::vector<int64_t>& shape, const T* data,
                      const Labels& labels) {
  const std::vector<int64_t> strides = row_major_strides(shape);
  Labels order = labels;
  for (int label : from)
    if (!holds(order, label)) order.push_back(label);
  std::vector<int64_t> sizes(order.size(), 1), steps(order.size(), 0);
  for (size_t axis = 0; axis < from.size(); ++axis) {
    const auto at = static_cast<size_t>(std::find(order.begin(), order.end(), from[axis]) - order.begin());
    sizes[at] = std::max(sizes[at], shape[axis]);
    if (shape[axis] == 0) sizes[at] = 0;
    if (shape[axis] != 1) steps[at] += strides[axis];
  }
  Labelled<T> result{labels, {sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(labels.size())}, {}};
  int64_t kept = 1, summed = 1;
  for (size_t i = 0; i < order.size(); ++i) (i < labels.size() ? kept : summed) *= sizes[i];
  result.data.assign(static_cast<size_t>(kept), T(0));
  if (kept == 0 || summed == 0) return result;
  std::vector<int64_t> index(order.size(), 0);
  int64_t position = 0;
  do {
    int64_t at = 0;
    for (size_t i = 0; i < index.size(); ++i) at += index[i] * steps[i];
    result.data[static_cast<size_t>(position++ / summed)] += data[at];
  } while (next_index(index, sizes));
  return result;
}

// The product of two arrays, summed over the labels that `wanted` lacks.
template <class T>
Labelled<T> contract(KernelContext& context, const Labelled<T>& a, const Labelled<T>& b,
                     const Labels& wanted) {
  Labels batch, rows, columns, inner;
  for (int label : a.labels)
    (holds(b.labels, label) ? (holds(wanted, label) ? batch : inner) : rows).push_back(label);
  for (int label : b.labels)
    if (!holds(a.labels, label)) columns.push_back(label);
  auto keep = [&](Labels& labels) {
    std::erase_if(labels, [&](int label) { return !holds(wanted, label); });
  };
  keep(rows);
  keep(columns);
  auto joined = [](std::initializer_list<const Labels*> parts) {
    Labels all;
    for (const Labels* part : parts) all.insert(all.end(), part->begin(), part->end());
    return all;
  };
  const Labelled<T> left = reduce_to(a.labels, a.shape, a.data.data(), joined({&batch, &rows, &inner}));
  const Labelled<T> right = reduce_to(b.labels, b.shape, b.data.data(), joined({&batch, &inner, &columns}));
  auto count = [](const Labelled<T>& array, size_t first, size_t length) {
    int64_t product = 1;
    for (size_t i = first; i < first + length; ++i) product *= array.shape[i];
    return product;
  };
  const int64_t batches = count(left, 0, batch.size()), m = count(left, batch.size(), rows.size());
  const int64_t k = count(left, batch.size() + rows.size(), inner.size());
  const int64_t n = count(right, batch.size() + inner.size(), columns.size());
  Labelled<T> result{joined({&batch, &rows, &columns}), {}, {}};
  result.shape.assign(left.shape.begin(),
                      left.shape.begin() + static_cast<std::ptrdiff_t>(batch.size() + rows.size()));
  result.shape.insert(result.shape.end(),
                      right.shape.begin() + static_cast<std::ptrdiff_t>(batch.size() + inner.size()),
                      right.shape.end());
  result.data.assign(static_cast<size_t>(batches * m * n), T(0));
  context.parallel_for(batches, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      add_product<T>(m, n, k, left.data.data() + i * m * k, k, right.data.data() + i * k * n, n,
                     result.data.data() + i * m * n, n);
  });
  return result;
}

template <class T>
Status compute(KernelContext& context, const Equation& equation, const std::vector<LabelSize>& sizes) {
  std::vector<Labelled<T>> operands;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Tensor& input = context.input(i);
    std::vector<T> data(static_cast<size_t>(input.size()));
    load_elements<T>(input.type(), input.raw(), 0, input.size(), data.data());
    Labels labels;  // once each; an axis of size 1 that broadcasts needs no label
    for (size_t axis = 0; axis < equation.operands[i].size(); ++axis) {
      const int label = equation.operands[i][axis];
      const bool stretched = input.dim(axis) == 1 && !size_of(sizes, label).is(1);
      if (!stretched && !holds(labels, label)) labels.push_back(label);
    }
    operands.push_back(reduce_to(equation.operands[i], input.shape(), data.data(), labels));
  }
  Labelled<T> result = std::move(operands[0]);
  for (size_t i = 1; i < operands.size(); ++i) {
    Labels wanted = equation.output;
    for (size_t later = i + 1; later < operands.size(); ++later)
      wanted.insert(wanted.end(), operands[later].labels.begin(), operands[later].labels.end());
    result = contract(context, result, operands[i], wanted);
  }
  result = reduce_to(result.labels, result.shape, result.data.data(), equation.output);
  Shape shape;
  for (int label : equation.output) shape.push_back(*size_of(sizes, label).constant());
  Tensor& output = context.output(0, context.input(0).type(), std::move(shape));
  store_elements<T>(output.type(), output.mutable_raw(), 0, output.size(), result.data.data());
  return {};
}

Status reference(KernelContext& context) {
  std::vector<SymShape> shapes;
  std::vector<size_t> ranks;
  for (size_t i = 0; i < context.input_count(); ++i) {
    shapes.push_back(to_sym(context.input(i).shape()));
    ranks.push_back(shapes.back().size());
  }
  const Equation equation = TENON_TRY(parse_equation(context.attributes().string("equation"), ranks));
  const std::vector<LabelSize> sizes = TENON_TRY(label_sizes(equation, shapes));
  if (is_float(context.input(0).type())) return compute<double>(context, equation, sizes);
  return compute<uint64_t>(context, equation, sizes);  // low bits of sums do not depend on the sign
}

}  // namespace

constinit const OpDef kEinsum{
    .name = "Einsum",
    .infer = infer,
    .reference = reference,
    .emit = emit_einsum,
    .tolerance = {Tolerance::Kind::kSum, 8},
};

}  // namespace tenon::ops
