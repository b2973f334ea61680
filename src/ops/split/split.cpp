// Split: a tensor cut along an axis. https://onnx.ai/onnx/operators/onnx__Split.html. The lengths are input
// 1, or follow from num_outputs.
#include "kernels/strided_copy.h"
#include "ops/channels/kernels.h"
#include "ops/core/axes.h"
#include "ops/core/op_def.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// Equal parts, the last one smaller when the dimension does not divide evenly.
Result<std::vector<SymInt>> even_parts(const SymInt& dim, size_t count) {
  if (count == 0) return fail(ErrorCode::kInvalidModel, "a split into no parts");
  const auto parts = static_cast<int64_t>(count);
  SymInt length = ceil_div(dim, parts);
  std::vector<SymInt> lengths(count, length);
  lengths.back() = dim - length * (parts - 1);
  if (auto last = lengths.back().constant(); last && *last < 0)
    return fail(ErrorCode::kInvalidModel, "a dimension of {} cannot be split into {} parts", dim.to_string(),
                count);
  return lengths;
}

Result<std::vector<int64_t>> lengths_of(KernelContext& context, int64_t dim) {
  if (!context.has_input(1)) return *constant_shape(TENON_TRY(even_parts(dim, context.output_count())));
  std::vector<int64_t> lengths = to_ints(context.input(1));
  if (lengths.size() != context.output_count())
    return fail(ErrorCode::kInvalidModel, "{} lengths for {} outputs", lengths.size(),
                context.output_count());
  int64_t left = dim;
  for (int64_t length : lengths) {
    if (length < 0 || length > left)
      return fail(ErrorCode::kInvalidModel, "the lengths {} do not add up to the dimension {}",
                  to_string(lengths), dim);
    left -= length;
  }
  if (left != 0)
    return fail(ErrorCode::kInvalidModel, "the lengths {} do not add up to the dimension {}",
                to_string(lengths), dim);
  return lengths;
}

Status infer(InferContext& context) {
  const SymShape* input = context.shape(0);
  const size_t count = context.output_count();
  if (input == nullptr) {
    for (size_t i = 0; i < count; ++i) context.set_output(i, context.element(0));
    return {};
  }
  auto axis = static_cast<size_t>(
      TENON_TRY(normalize_axis(context.attributes().integer("axis"), static_cast<int64_t>(input->size()))));
  std::vector<SymInt> lengths;
  if (!context.has_input(1)) {
    if (context.attributes().has("num_outputs") &&
        context.attributes().integer("num_outputs") != static_cast<int64_t>(count))
      return fail(ErrorCode::kInvalidModel, "num_outputs is {} and the node has {} outputs",
                  context.attributes().integer("num_outputs"), count);
    // Too many parts are an error of the run only: the node may stand in a branch that never runs.
    auto parts = even_parts((*input)[axis], count);
    lengths = parts.ok() ? std::move(*parts) : context.fresh_shape(count);
  } else if (auto known = context.elements(1)) {
    lengths = std::move(*known);
    if (lengths.size() != count)
      return fail(ErrorCode::kInvalidModel, "{} lengths for {} outputs", lengths.size(), count);
    SymInt sum = 0;
    for (const SymInt& length : lengths) {
      if (length.constant().value_or(0) < 0)
        return fail(ErrorCode::kInvalidModel, "a part of length {}", length.to_string());
      sum += length;
    }
    if (sum.is_constant() && (*input)[axis].is_constant() && !(sum == (*input)[axis]))
      return fail(ErrorCode::kInvalidModel, "the lengths {} do not add up to the dimension {}",
                  to_string(lengths), (*input)[axis].to_string());
  } else {
    lengths = context.fresh_shape(count);
  }
  for (size_t i = 0; i < count; ++i) {
    SymShape shape = *input;
    shape[axis] = lengths[i];
    context.set_output(i, context.element(0), std::move(shape));
  }
  auto elements = context.elements(0);
  if (!elements || input->size() != 1) return {};
  auto sizes = constant_shape(lengths);
  if (!sizes) return {};
  size_t begin = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto end = begin + static_cast<size_t>((*sizes)[i]);
    if ((*sizes)[i] < 0 || end > elements->size()) return {};
    context.set_elements(i, std::vector<SymInt>(elements->begin() + static_cast<ptrdiff_t>(begin),
                                                elements->begin() + static_cast<ptrdiff_t>(end)));
    begin = end;
  }
  return {};
}

Status reference(KernelContext& context) {
  const Tensor& input = context.input(0);
  auto axis =
      static_cast<size_t>(TENON_TRY(normalize_axis(context.attributes().integer("axis"), input.rank())));
  std::vector<int64_t> lengths = TENON_TRY(lengths_of(context, input.dim(axis)));
  const std::vector<int64_t> in_strides = kernels::dense_strides(input.shape());
  const std::byte* source = input.raw();
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (context.wants_output(i)) {
      Shape shape = input.shape();
      shape[axis] = lengths[i];
      Tensor& output = context.output(i, input.type(), shape);
      kernels::StridedCopy(input.type(), shape, in_strides, kernels::dense_strides(shape))
          .run(source, output.mutable_raw());
    }
    source += static_cast<size_t>(lengths[i] * in_strides[axis]) * element_size(input.type());
  }
  return {};
}

// The lengths were an attribute in 2 and 11, an optional input of floats in 1, and an input since 13. Without
// lengths the parts were equal; since 18 num_outputs says how many and the last one may be smaller.
Status upgrade(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  ValueId lengths = context.input(1);
  if (attributes.has("split")) {
    lengths = context.builder().constant_ints(attributes.integers("split"));
    attributes.erase("split");
  } else if (context.since_version() == 1 && lengths != kNoValue) {
    const Tensor* values = context.constant(1);
    if (values == nullptr)
      return fail(ErrorCode::kUnsupported, "Split of opset 1 with lengths that are computed by the model");
    lengths = context.builder().constant_ints(to_ints(*values));
  }
  if (!attributes.has("axis")) attributes.set("axis", int64_t{0});
  if (lengths != kNoValue)
    return context.finish(Op::kSplit, {context.input(0), lengths}, std::move(attributes));
  if (!attributes.has("num_outputs"))
    attributes.set("num_outputs", static_cast<int64_t>(context.output_count()));
  return context.finish(Op::kSplit, {context.input(0)}, std::move(attributes));
}

Status emit(EmitContext& context) {
  if (context.opset() >= 18) return emit_unchanged(context);
  const std::optional<int64_t> rank = rank_of(context.input_type(0));
  Attributes attributes = {{"axis", context.attributes().integer("axis")}};
  if (context.opset() < 11 && attributes.integer("axis") < 0) {
    if (!rank) return context.unsupported(11, "a negative axis of a tensor of unknown rank");
    attributes.set("axis", TENON_TRY(normalize_axis(attributes.integer("axis"), *rank)));
  }
  std::optional<std::vector<int64_t>> lengths;
  if (context.has_input(1)) {
    if (context.opset() >= 13)
      return context.finish("Split", {context.input(0), context.input(1)}, attributes);
    const Tensor* values = context.constant(1);
    if (values == nullptr) return context.unsupported(13, "lengths that are computed by the model");
    lengths = to_ints(*values);
  } else {
    if (!rank) return context.unsupported(18, "equal parts of a tensor of unknown rank");
    auto axis = static_cast<size_t>(TENON_TRY(normalize_axis(attributes.integer("axis"), *rank)));
    const SymInt& dim = (*context.input_type(0).shape)[axis];
    const size_t count = context.node().outputs.size();
    if (!mod(dim, static_cast<int64_t>(count)).is(0)) {
      lengths = constant_shape(TENON_TRY(even_parts(dim, count)));
      if (!lengths) return context.unsupported(18, "parts of unequal length");
    }
  }
  std::vector<std::string> inputs = {context.input(0)};
  if (lengths && context.opset() >= 13)
    inputs.push_back(context.constant(Tensor::from_ints(*lengths), "split"));
  else if (lengths)
    attributes.set("split", std::move(*lengths));
  return context.finish("Split", std::move(inputs), attributes);
}

}  // namespace

constinit const OpDef kSplit{.name = "Split",
                             .infer = infer,
                             .reference = reference,
                             .upgrade = upgrade,
                             .emit = emit,
                             .rows = kChannelMoveRows};

}  // namespace tenon::ops
