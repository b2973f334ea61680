// SplitToSequence: a tensor cut along an axis into the items of a sequence.
// https://onnx.ai/onnx/operators/onnx__SplitToSequence.html
#include <algorithm>

#include "kernels/strided_copy.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

bool drops_axis(const Node& node) {
  return !node.has_input(1) && node.attributes.integer("keepdims", 1) == 0;
}

Status infer(InferContext& context) {
  std::optional<SymShape> item;
  if (const SymShape* input = context.shape(0)) {
    item = *input;
    const auto rank = static_cast<int64_t>(input->size());
    const int64_t axis = TENON_TRY(normalize_axis(context.attributes().integer("axis"), rank));
    auto place = item->begin() + axis;
    if (drops_axis(context.node()))
      item->erase(place);
    else if (!context.has_input(1))
      *place = 1;
    else
      *place = context.fresh_symbol();
  }
  context.set_output(0, ValueType::sequence(ValueType::tensor(context.element(0), std::move(item))));
  return {};
}

// Lengths of the parts of a dimension: `split` is absent (parts of 1), a scalar (parts of that length, the
// last one perhaps shorter) or a list.
Result<std::vector<int64_t>> part_lengths(const Tensor* split, int64_t dim) {
  if (split != nullptr && split->rank() > 0) {
    std::vector<int64_t> lengths = to_ints(*split);
    int64_t left = dim;
    for (int64_t length : lengths) {
      if (length < 0 || length > left) left = -1;
      if (left < 0) break;
      left -= length;
    }
    if (left != 0)
      return fail(ErrorCode::kInvalidModel, "the lengths {} do not add up to the dimension {}",
                  to_string(lengths), dim);
    return lengths;
  }
  const int64_t length = split == nullptr ? 1 : to_ints(*split)[0];
  if (length <= 0) return fail(ErrorCode::kInvalidModel, "a split into parts of length {}", length);
  std::vector<int64_t> lengths;
  for (int64_t begin = 0; begin < dim; begin += std::min(length, dim - begin))
    lengths.push_back(std::min(length, dim - begin));
  return lengths;
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  const auto axis =
      static_cast<size_t>(TENON_TRY(normalize_axis(context.attributes().integer("axis"), input.rank())));
  const Tensor* split = context.has_input(1) ? &context.input(1) : nullptr;
  std::vector<int64_t> lengths = TENON_TRY(part_lengths(split, input.dim(axis)));
  const std::vector<int64_t> strides = kernels::dense_strides(input.shape());
  Sequence sequence{input.type(), {}};
  const std::byte* source = input.raw();
  for (int64_t length : lengths) {
    Shape shape = input.shape();
    shape[axis] = length;
    Tensor part = Tensor::allocate(input.type(), shape);
    kernels::StridedCopy(input.type(), shape, strides, kernels::dense_strides(shape))
        .run(source, part.mutable_raw());
    source += static_cast<size_t>(length * strides[axis]) * element_size(input.type());
    if (drops_axis(context.node())) shape.erase(shape.begin() + static_cast<ptrdiff_t>(axis));
    sequence.items.emplace_back(part.reshaped(std::move(shape)));
  }
  context.set_output(0, std::move(sequence));
  return {};
}

}  // namespace

constinit const OpDef kSplitToSequence{.name = "SplitToSequence", .infer = infer, .reference = reference};

}  // namespace tenon::ops
