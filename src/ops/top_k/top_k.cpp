// TopK: the K greatest or least elements along an axis, in order, and their indices (ONNX Operators.md). Of
// equal elements the one with the lower index comes first; NaN counts as the greatest, as in PyTorch. The
// order is kept also where `sorted` does not ask for it.
#include <algorithm>
#include <numeric>

#include "ops/core/op_def.h"
#include "ops/lines/lines.h"

namespace tenon::ops {

namespace {

// Whether a is greater than b, NaN being the greatest.
template <class T>
bool greater(T a, T b) {
  if (a != a) return b == b;
  return a > b;
}

template <class T>
Status top_k_as(KernelContext& context, int64_t k, int64_t axis, bool largest) {
  const Tensor& input = context.input(0);
  const Lines lines = TENON_TRY(Lines::along(input.shape(), axis));
  if (k < 0 || k > lines.length)
    return fail(ErrorCode::kMismatch, "K is {}, the axis has {} elements", k, lines.length);
  Lines chosen = lines;
  chosen.length = k;
  Shape shape = input.shape();
  if (!shape.empty()) shape[static_cast<size_t>(axis < 0 ? axis + input.rank() : axis)] = k;
  Tensor& values = context.output(0, input.type(), shape);
  Tensor& indices = context.output(1, DataType::kInt64, shape);
  for_line_blocks(context, lines, [&](const LineBlock& block) {
    std::vector<T> all(static_cast<size_t>(block.count * lines.length));
    std::vector<T> best(static_cast<size_t>(block.count * k));
    std::vector<int64_t> where(static_cast<size_t>(block.count * k));
    std::vector<int64_t> order(static_cast<size_t>(lines.length));
    load_lines<T>(input, lines, block, all.data());
    for (int64_t n = 0; n < block.count; ++n) {
      const T* line = all.data() + n * lines.length;
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
        const bool first = largest ? greater(line[a], line[b]) : greater(line[b], line[a]);
        const bool second = largest ? greater(line[b], line[a]) : greater(line[a], line[b]);
        return first || (!second && a < b);
      });
      for (int64_t i = 0; i < k; ++i) {
        where[static_cast<size_t>(n * k + i)] = order[static_cast<size_t>(i)];
        best[static_cast<size_t>(n * k + i)] = line[order[static_cast<size_t>(i)]];
      }
    }
    store_lines<T>(values, chosen, block, best.data());
    store_lines<int64_t>(indices, chosen, block, where.data());
  });
  return {};
}

Status reference_top_k(KernelContext& context) {
  if (context.input(1).size() != 1)
    return fail(ErrorCode::kMismatch, "K has {} elements, not one", context.input(1).size());
  const auto k = load_element<int64_t>(context.input(1), 0);
  const int64_t axis = context.attributes().integer("axis", -1);
  const bool largest = context.attributes().integer("largest", 1) != 0;
  switch (compute_kind(context.input(0).type())) {
    case ComputeKind::kFloat:
      return top_k_as<double>(context, k, axis, largest);
    case ComputeKind::kSigned:
      return top_k_as<int64_t>(context, k, axis, largest);
    default:
      return top_k_as<uint64_t>(context, k, axis, largest);
  }
}

Status infer_top_k(InferContext& context) {
  context.set_output(0, context.element(0));
  context.set_output(1, DataType::kInt64);
  const SymShape* input = context.shape(0);
  if (input == nullptr || input->empty()) return {};
  SymShape shape = *input;
  const int64_t axis =
      TENON_TRY(normalize_axis(context.attributes().integer("axis", -1), static_cast<int64_t>(shape.size())));
  const auto k = context.elements(1);
  const auto length = shape[static_cast<size_t>(axis)].constant();
  if (k && k->size() == 1) {
    const auto known = (*k)[0].constant();
    if (known && (*known < 0 || (length && *known > *length)))
      return fail(ErrorCode::kInvalidModel, "K is {}, the axis has {} elements", *known, length.value_or(-1));
    shape[static_cast<size_t>(axis)] = (*k)[0];
  } else {
    shape[static_cast<size_t>(axis)] = context.fresh_symbol();
  }
  context.set_output(0, context.element(0), shape);
  context.set_output(1, DataType::kInt64, std::move(shape));
  return {};
}

// K was an attribute before opset 10.
Status upgrade_top_k(UpgradeContext& context) {
  if (context.since_version() >= 10) return upgrade_unchanged(context);
  const ValueId k = context.builder().constant_ints({context.attributes().integer("k")});
  return context.finish(
      Op::kTopK, {context.input(0), k},
      {{"axis", context.attributes().integer("axis", -1)}, {"largest", int64_t{1}}, {"sorted", int64_t{1}}});
}

Status emit_top_k(EmitContext& context) {
  if (context.opset() >= 11) return emit_unchanged(context);
  const Attributes& attributes = context.attributes();
  if (attributes.integer("largest", 1) == 0) return context.unsupported(11, "the least elements");
  int64_t axis = attributes.integer("axis", -1);
  const auto& shape = context.input_type(0).shape;
  if (axis < 0 && !shape) return context.unsupported(11, "negative axis of a tensor of unknown rank");
  if (axis < 0) axis += static_cast<int64_t>(shape->size());
  if (!is_float(context.input_type(0).element)) return context.unsupported(11, "integers");
  if (context.opset() >= 10) return context.finish("TopK", context.inputs(), {{"axis", axis}});
  const Tensor* k = context.constant(1);
  if (k == nullptr || k->size() != 1) return context.unsupported(10, "K is not constant");
  return context.finish("TopK", {context.input(0)}, {{"axis", axis}, {"k", load_element<int64_t>(*k, 0)}});
}

}  // namespace

constinit const OpDef kTopK{.name = "TopK",
                            .infer = infer_top_k,
                            .reference = reference_top_k,
                            .upgrade = upgrade_top_k,
                            .emit = emit_top_k};

}  // namespace tenon::ops
