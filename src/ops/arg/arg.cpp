// ArgMax and ArgMin: the index of the greatest or least element along an axis (ONNX Operators.md). A NaN
// counts as both, as in numpy.
#include "ops/core/emit_wide.h"
#include "ops/core/op_def.h"
#include "ops/lines/lines.h"

namespace tenon::ops {

namespace {

template <class T>
int64_t best_index(const T* line, int64_t length, bool greatest, bool last) {
  int64_t best = 0;
  for (int64_t i = 1; i < length; ++i) {
    const T value = line[i];
    const T top = line[best];
    if (top != top) {
      if (last && value != value) best = i;
      continue;
    }
    const bool better = value != value || (greatest ? value > top : value < top);
    if (better || (last && value == top)) best = i;
  }
  return best;
}

template <class T>
Status arg_as(KernelContext& context) {
  const Tensor& input = context.input(0);
  const Attributes& attributes = context.attributes();
  const int64_t axis = attributes.integer("axis", 0);
  const Lines lines = TENON_TRY(Lines::along(input.shape(), axis));
  if (lines.length == 0) return fail(ErrorCode::kMismatch, "there is no greatest or least of no elements");
  const bool greatest = context.node().op == Op::kArgMax;
  const bool last = attributes.integer("select_last_index", 0) != 0;
  Shape shape = input.shape();
  if (!shape.empty()) {
    const auto at = static_cast<size_t>(axis < 0 ? axis + input.rank() : axis);
    shape[at] = 1;
    if (attributes.integer("keepdims", 1) == 0) shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(at));
  }
  Tensor& output = context.output(0, DataType::kInt64, std::move(shape));
  for_line_blocks(context, lines, [&](const LineBlock& block) {
    std::vector<T> values(static_cast<size_t>(block.count * lines.length));
    load_lines<T>(input, lines, block, values.data());
    int64_t* out = output.mutable_data<int64_t>() + block.outer * lines.inner + block.inner;
    for (int64_t k = 0; k < block.count; ++k)
      out[k] = best_index(values.data() + k * lines.length, lines.length, greatest, last);
  });
  return {};
}

Status reference_arg(KernelContext& context) {
  switch (compute_kind(context.input(0).type())) {
    case ComputeKind::kFloat:
      return arg_as<double>(context);
    case ComputeKind::kSigned:
      return arg_as<int64_t>(context);
    default:
      return arg_as<uint64_t>(context);
  }
}

Status infer_arg(InferContext& context) {
  context.set_output(0, DataType::kInt64);
  const SymShape* input = context.shape(0);
  if (input == nullptr) return {};
  SymShape shape = *input;
  const auto rank = static_cast<int64_t>(shape.size());
  const int64_t axis =
      TENON_TRY(normalize_axis(context.attributes().integer("axis", 0), std::max<int64_t>(rank, 1)));
  if (rank > 0) {
    shape[static_cast<size_t>(axis)] = 1;
    if (context.attributes().integer("keepdims", 1) == 0) shape.erase(shape.begin() + axis);
  }
  context.set_output(0, DataType::kInt64, std::move(shape));
  return {};
}

// Opset 12 brought select_last_index, 11 negative axes.
Status emit_arg(EmitContext& context) {
  if (context.opset() < 12 && context.attributes().integer("select_last_index", 0) != 0)
    return context.unsupported(12, "select_last_index");
  const int64_t axis = context.attributes().integer("axis", 0);
  if (context.opset() >= 11 || axis >= 0) return emit_wide_ordered(context);
  const auto& shape = context.input_type(0).shape;
  if (!shape) return context.unsupported(11, "negative axis of a tensor of unknown rank");
  return context.finish(op_name(context.node().op), {context.input(0)},
                        {{"axis", axis + static_cast<int64_t>(shape->size())},
                         {"keepdims", context.attributes().integer("keepdims", 1)}});
}

constexpr OpDef arg(std::string_view name) {
  return {.name = name, .infer = infer_arg, .reference = reference_arg, .emit = emit_arg};
}

}  // namespace

constinit const OpDef kArgMax = arg("ArgMax");
constinit const OpDef kArgMin = arg("ArgMin");

}  // namespace tenon::ops
