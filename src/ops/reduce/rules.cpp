// The shape and version rules of the Reduce operators, and their definitions.
#include "ops/core/emit_wide.h"
#include "ops/core/registry.h"
#include "ops/core/upgrade_attributes.h"
#include "ops/reduce/kernels.h"
#include "ops/reduce/plan.h"
#include "ops/reduce/reduce.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

std::optional<SymInt> reduce_elements(Op op, const std::vector<SymInt>& elements) {
  if (elements.empty()) return std::nullopt;
  SymInt result = elements[0];
  for (size_t i = 1; i < elements.size(); ++i) {
    switch (op) {
      case Op::kReduceProd:
        result *= elements[i];
        break;
      case Op::kReduceSum:
        result += elements[i];
        break;
      case Op::kReduceMax:
        result = max(result, elements[i]);
        break;
      case Op::kReduceMin:
        result = min(result, elements[i]);
        break;
      default:
        return std::nullopt;
    }
  }
  return op == Op::kReduceProd || op == Op::kReduceSum || op == Op::kReduceMax || op == Op::kReduceMin
             ? std::optional<SymInt>(result)
             : std::nullopt;
}

// The opset from which axes are an input.
int axes_input_since(Op op) {
  return op == Op::kReduceSum ? 13 : 18;
}

}  // namespace

Status infer_reduce(InferContext& context) {
  const SymShape* input = context.shape(0);
  context.set_output(0, context.element(0));
  if (input == nullptr) return {};
  const auto rank = static_cast<int64_t>(input->size());
  const bool keepdims = context.attributes().integer("keepdims", 1) != 0;
  const bool noop = context.attributes().integer("noop_with_empty_axes", 0) != 0;
  std::vector<int64_t> axes;
  if (context.has_input(1)) {
    const auto known = context.known_ints(1);
    if (!known) {
      const SymShape* count = context.shape(1);
      if (keepdims)
        context.set_output(0, context.element(0), context.fresh_shape(input->size()));
      else if (count != nullptr && count->size() == 1 && (*count)[0].is_constant() && !(*count)[0].is(0) &&
               *(*count)[0].constant() <= rank)
        context.set_output(0, context.element(0),
                           context.fresh_shape(input->size() - static_cast<size_t>(*(*count)[0].constant())));
      return {};
    }
    axes = *known;
  }
  const auto reduced = reduced_axes(axes, rank, noop);
  if (!reduced.ok()) return fail(ErrorCode::kInvalidModel, "{}", reduced.error().message);
  SymShape shape;
  for (size_t i = 0; i < input->size(); ++i)
    if (!reduced.value()[i] || keepdims) shape.push_back(reduced.value()[i] ? SymInt(1) : (*input)[i]);
  context.set_output(0, context.element(0), std::move(shape));

  const auto elements = context.elements(0);
  if (!elements || !is_integer(context.element(0)) || rank != 1 || !reduced.value()[0]) return {};
  if (const auto result = reduce_elements(context.node().op, *elements)) context.set_elements(0, {*result});
  return {};
}

Status upgrade_reduce(UpgradeContext& context) {
  const Op op = op_of(*find_op(context.schema().domain, context.schema().name));
  if (context.input_count() == 0) return upgrade_unchanged(context);
  if (context.since_version() >= axes_input_since(op))
    return finish_in_float64(context, op, context.inputs(), context.attributes());
  Attributes attributes{{"keepdims", context.attributes().integer("keepdims", 1)}};
  std::vector<ValueId> inputs{context.input(0)};
  const std::vector<int64_t> axes = context.attributes().integers("axes");
  if (!axes.empty()) inputs.push_back(context.builder().constant_ints(axes));
  return finish_in_float64(context, op, std::move(inputs), std::move(attributes));
}

Status emit_reduce(EmitContext& context) {
  const Op op = context.node().op;
  if (context.opset() >= axes_input_since(op)) return emit_wide(context);
  const std::string_view name = op_name(op);
  std::vector<int64_t> axes;
  if (context.has_input(1)) {
    const Tensor* constant = context.constant(1);
    if (constant == nullptr) return context.unsupported(axes_input_since(op), "the axes are not constant");
    axes = to_ints(*constant);
  }
  if (axes.empty() && context.attributes().integer("noop_with_empty_axes", 0) != 0) {
    if (op == Op::kReduceL1 || op == Op::kReduceL2 || op == Op::kReduceLogSum || op == Op::kReduceLogSumExp ||
        op == Op::kReduceSumSquare)
      return context.unsupported(axes_input_since(op), "reduction over no axes");
    return context.finish("Identity", {context.input(0)});
  }
  if (context.opset() < 11) {
    const auto& shape = context.input_type(0).shape;
    for (int64_t& axis : axes) {
      if (axis < 0 && !shape) return context.unsupported(11, "negative axes of a tensor of unknown rank");
      if (axis < 0) axis += static_cast<int64_t>(shape->size());
    }
  }
  Attributes attributes{{"keepdims", context.attributes().integer("keepdims", 1)}};
  if (!axes.empty()) attributes.set("axes", std::move(axes));

  // Types that the version lacks pass through a wider one; sums of booleans do not occur.
  const DataType type = context.input_type(0).element;
  const SchemaParameter* parameter = find_schema("", name, context.opset())->input(0);
  if (type == DataType::kUndefined || parameter->types.has_tensor(type))
    return context.finish(name, {context.input(0)}, attributes);
  const bool ordered = op == Op::kReduceMax || op == Op::kReduceMin;
  for (DataType wide : wider_types(type, ordered)) {
    if (!parameter->types.has_tensor(wide)) continue;
    const std::string x =
        TENON_TRY(context.add("Cast", {context.input(0)}, {{"to", static_cast<int64_t>(wide)}}, wide));
    const std::string result = TENON_TRY(context.add(name, {x}, attributes, wide));
    return context.finish("Cast", {result}, {{"to", static_cast<int64_t>(type)}});
  }
  return context.unsupported(axes_input_since(op));
}

namespace {

constexpr OpDef reduction(std::string_view name, Tolerance tolerance, std::span<const KernelRow> rows = {}) {
  return {.name = name,
          .infer = infer_reduce,
          .reference = reference_reduce,
          .upgrade = upgrade_reduce,
          .emit = emit_reduce,
          .rows = rows,
          .tolerance = tolerance};
}
constexpr Tolerance kSumTolerance{Tolerance::Kind::kSum, 16};

}  // namespace

constinit const OpDef kReduceSum = reduction("ReduceSum", kSumTolerance, kReduceRows);
constinit const OpDef kReduceMean = reduction("ReduceMean", kSumTolerance, kReduceMeanRows);
constinit const OpDef kReduceProd = reduction("ReduceProd", {Tolerance::Kind::kUlp, 64});
constinit const OpDef kReduceMax = reduction("ReduceMax", {}, kReduceRows);
constinit const OpDef kReduceMin = reduction("ReduceMin", {}, kReduceRows);
constinit const OpDef kReduceL1 = reduction("ReduceL1", kSumTolerance, kReduceRows);
constinit const OpDef kReduceL2 = reduction("ReduceL2", kSumTolerance, kReduceRows);
constinit const OpDef kReduceLogSum = reduction("ReduceLogSum", kSumTolerance);
constinit const OpDef kReduceLogSumExp = reduction("ReduceLogSumExp", kSumTolerance);
constinit const OpDef kReduceSumSquare = reduction("ReduceSumSquare", kSumTolerance, kReduceRows);

}  // namespace tenon::ops
