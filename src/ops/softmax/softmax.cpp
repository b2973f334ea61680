// Softmax, LogSoftmax and Hardmax along one axis (ONNX Operators.md). Before opset 13 they flattened the
// input to two dimensions at `axis` and normalised the second.
#include <cmath>
#include <numeric>

#include "ops/core/emit_wide.h"
#include "ops/core/op_def.h"
#include "ops/core/registry.h"
#include "ops/lines/lines.h"
#include "ops/softmax/kernels.h"

namespace tenon::ops {

namespace {

// A NaN anywhere makes the line NaN.
void softmax_line(double* line, int64_t length) {
  const double top = *std::max_element(line, line + length);
  double sum = 0;
  for (int64_t i = 0; i < length; ++i) sum += line[i] = std::exp(line[i] - top);
  for (int64_t i = 0; i < length; ++i) line[i] /= sum;
}

void log_softmax_line(double* line, int64_t length) {
  const double top = *std::max_element(line, line + length);
  double sum = 0;
  for (int64_t i = 0; i < length; ++i) sum += std::exp(line[i] - top);
  const double log_sum = std::log(sum);
  for (int64_t i = 0; i < length; ++i) line[i] = line[i] - top - log_sum;
}

// 1 for the first maximum, 0 elsewhere.
void hardmax_line(double* line, int64_t length) {
  const auto top = std::max_element(line, line + length) - line;
  for (int64_t i = 0; i < length; ++i) line[i] = i == top ? 1 : 0;
}

Status reference_softmax(KernelContext& context) {
  const Op op = context.node().op;
  const auto function = op == Op::kSoftmax      ? softmax_line
                        : op == Op::kLogSoftmax ? log_softmax_line
                                                : hardmax_line;
  return map_lines<double>(context, context.attributes().integer("axis", -1),
                           [&](double* line, int64_t length) {
                             if (length > 0) function(line, length);
                           });
}

Status infer_softmax(InferContext& context) {
  if (const SymShape* shape = context.shape(0))
    TENON_TRY(normalize_axis(context.attributes().integer("axis", -1),
                             std::max<int64_t>(static_cast<int64_t>(shape->size()), 1)));
  return infer_same_as_first(context);
}

// When the axis is the last one there is nothing to flatten.
Status upgrade_softmax(UpgradeContext& context) {
  if (context.since_version() >= 13) return upgrade_unchanged(context);
  const Op op = op_of(*find_op(context.schema().domain, context.schema().name));
  const ValueId x = context.input(0);
  const SymShape* shape = context.builder().shape(x);
  int64_t axis = context.attributes().integer("axis", 1);
  if (shape != nullptr) {
    const auto rank = static_cast<int64_t>(shape->size());
    if (axis < -rank || axis > rank)
      return fail(ErrorCode::kInvalidModel, "axis {} is outside rank {}", axis, rank);
    axis = axis < 0 ? axis + rank : axis;
    if (axis == rank - 1) return context.finish(op, {x}, {{"axis", int64_t{-1}}});
  } else if (axis == -1) {
    return context.finish(op, {x}, {{"axis", axis}});
  }
  auto named = [](std::string_view name) { return op_of(*find_op("", name)); };
  const ValueId flat = TENON_TRY(context.add(named("Flatten"), {x}, {{"axis", axis}}));
  const ValueId result = TENON_TRY(context.add(op, {flat}, {{"axis", int64_t{-1}}}));
  const ValueId sizes = TENON_TRY(context.add(named("Shape"), {x}));
  return context.finish(named("Reshape"), {result, sizes}, {});
}

// Another axis than the last one is moved there and back.
Status emit_softmax(EmitContext& context) {
  if (context.opset() >= 13) return emit_wide(context);
  const std::string_view name = op_name(context.node().op);
  const DataType type = context.input_type(0).element;
  if (type == DataType::kBFloat16) return context.unsupported(13);
  const auto& shape = context.input_type(0).shape;
  const int64_t axis = context.attributes().integer("axis", -1);
  if (!shape || shape->empty()) {
    if (axis == -1 && context.opset() >= 11)
      return context.finish(name, {context.input(0)}, {{"axis", int64_t{-1}}});
    return context.unsupported(13, "the rank of the input is not known");
  }
  const auto rank = static_cast<int64_t>(shape->size());
  const int64_t at = axis < 0 ? axis + rank : axis;
  if (at == rank - 1) return context.finish(name, {context.input(0)}, {{"axis", at}});
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(at)], order.back());
  const std::string moved = TENON_TRY(context.add("Transpose", {context.input(0)}, {{"perm", order}}));
  const std::string result = TENON_TRY(context.add(name, {moved}, {{"axis", rank - 1}}));
  return context.finish("Transpose", {result}, {{"perm", order}});
}

constexpr OpDef normalised(std::string_view name, Tolerance tolerance, std::span<const KernelRow> rows = {}) {
  return {.name = name,
          .infer = infer_softmax,
          .reference = reference_softmax,
          .upgrade = upgrade_softmax,
          .emit = emit_softmax,
          .rows = rows,
          .tolerance = tolerance};
}

}  // namespace

constinit const OpDef kSoftmax = normalised("Softmax", {Tolerance::Kind::kUlp, 16}, kSoftmaxRows);
constinit const OpDef kLogSoftmax = normalised("LogSoftmax", {Tolerance::Kind::kSum, 16});
constinit const OpDef kHardmax = normalised("Hardmax", {});

}  // namespace tenon::ops
