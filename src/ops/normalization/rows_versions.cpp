// The normalisations of rows at opsets that lack them, and their definitions.
#include <numeric>

#include "ops/core/emit_wide.h"
#include "ops/core/registry.h"
#include "ops/core/upgrade_attributes.h"
#include "ops/normalization/kernels.h"
#include "ops/normalization/normalization.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// A small program in the file that computes in `type`.
struct Script {
  EmitContext& context;
  DataType type;

  Result<std::string> node(std::string_view op, std::vector<std::string> inputs) {
    return context.add(op, std::move(inputs), {}, type);
  }
  Result<std::string> cast(const std::string& x, DataType from, DataType to) {
    if (from == to) return x;
    return context.add("Cast", {x}, {{"to", static_cast<int64_t>(to)}}, to);
  }
  std::string scalar(double value) {
    Tensor tensor = Tensor::allocate(type, {});
    store_element<double>(tensor, 0, value);
    return context.constant(std::move(tensor));
  }
  // The mean over the last `count` axes, kept as length 1. Axes became an input with opset 18.
  Result<std::string> mean(const std::string& x, int64_t count) {
    std::vector<int64_t> axes(static_cast<size_t>(count));
    std::iota(axes.begin(), axes.end(), -count);
    if (context.opset() >= 18)
      return context.add("ReduceMean", {x, context.constant(Tensor::from_ints(axes))}, {}, type);
    return context.add("ReduceMean", {x}, {{"axes", std::move(axes)}}, type);
  }
};

bool is_half(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBFloat16;
}

// The number of axes from the attribute `axis` on; an error when neither it nor the rank tells.
Result<int64_t> normalized_axes(EmitContext& context, int needs_opset) {
  const int64_t axis = context.attributes().integer("axis", -1);
  const auto& shape = context.input_type(0).shape;
  if (axis < 0 && (context.opset() >= 11 || shape)) return -axis;
  if (!shape) return context.unsupported(needs_opset, "the rank of the input is not known");
  return static_cast<int64_t>(shape->size()) - axis;
}

}  // namespace

Status emit_layer_normalization(EmitContext& context) {
  if (context.opset() >= 17) return emit_unchanged(context);
  if (context.has_output(1) || context.has_output(2)) return context.unsupported(17, "the saved statistics");
  if (context.opset() < 11) return context.unsupported(11, "negative axes");
  const int64_t count = TENON_TRY(normalized_axes(context, 17));
  const DataType type = context.input_type(0).element;
  Script script{context, is_half(type) ? DataType::kFloat32 : type};
  const std::string x = TENON_TRY(script.cast(context.input(0), type, script.type));
  const std::string mean = TENON_TRY(script.mean(x, count));
  const std::string centred = TENON_TRY(script.node("Sub", {x, mean}));
  const std::string squares = TENON_TRY(script.node("Mul", {centred, centred}));
  const std::string variance = TENON_TRY(script.mean(squares, count));
  const std::string epsilon = script.scalar(context.attributes().real("epsilon", 1e-5F));
  const std::string shifted = TENON_TRY(script.node("Add", {variance, epsilon}));
  const std::string deviation = TENON_TRY(script.node("Sqrt", {shifted}));
  std::string result = TENON_TRY(script.node("Div", {centred, deviation}));
  result = TENON_TRY(script.cast(result, script.type, type));
  if (!context.has_input(2)) return context.finish("Mul", {result, context.input(1)});
  const std::string scaled = TENON_TRY(context.add("Mul", {result, context.input(1)}));
  return context.finish("Add", {scaled, context.input(2)});
}

Status emit_rms_normalization(EmitContext& context) {
  if (context.opset() >= 23) return emit_unchanged(context);
  if (context.opset() < 11) return context.unsupported(11, "negative axes");
  const int64_t count = TENON_TRY(normalized_axes(context, 23));
  const DataType type = context.input_type(0).element;
  Script script{context, is_half(type) ? DataType::kFloat32 : type};
  const std::string x = TENON_TRY(script.cast(context.input(0), type, script.type));
  const std::string squares = TENON_TRY(script.node("Mul", {x, x}));
  const std::string mean = TENON_TRY(script.mean(squares, count));
  const std::string epsilon = script.scalar(context.attributes().real("epsilon", 1e-5F));
  const std::string shifted = TENON_TRY(script.node("Add", {mean, epsilon}));
  const std::string root = TENON_TRY(script.node("Sqrt", {shifted}));
  std::string result = TENON_TRY(script.node("Div", {x, root}));
  result = TENON_TRY(script.cast(result, script.type, type));
  result = TENON_TRY(script.cast(result, type, context.input_type(1).element));
  return context.finish("Mul", {result, context.input(1)});
}

Status upgrade_group_normalization(UpgradeContext& context) {
  if (context.since_version() >= 21) return upgrade_unchanged(context);
  const SymShape* shape = context.builder().shape(context.input(0));
  const int64_t groups = context.attributes().integer("num_groups");
  const auto channels =
      shape != nullptr && shape->size() >= 2 ? (*shape)[1].constant() : std::optional<int64_t>{};
  if (!channels)
    return fail(ErrorCode::kUnsupported, "the number of channels of GroupNormalization is not known");
  if (groups <= 0 || *channels % groups != 0)
    return fail(ErrorCode::kInvalidModel, "{} channels do not fall into {} groups", *channels, groups);
  auto named = [](std::string_view name) { return op_of(*find_op("", name)); };
  std::vector<ValueId> inputs = context.inputs();
  for (size_t i = 1; i < inputs.size() && *channels != groups; ++i) {
    const ValueId column =
        TENON_TRY(context.add(named("Reshape"), {inputs[i], context.builder().constant_ints({groups, 1})}));
    const ValueId repeated = TENON_TRY(context.add(
        named("Expand"), {column, context.builder().constant_ints({groups, *channels / groups})}));
    inputs[i] =
        TENON_TRY(context.add(named("Reshape"), {repeated, context.builder().constant_ints({*channels})}));
  }
  return context.finish(Op::kGroupNormalization, std::move(inputs), context.attributes());
}

Status emit_group_normalization(EmitContext& context) {
  if (context.opset() >= 21) return emit_unchanged(context);
  const DataType type = context.input_type(0).element;
  const auto& shape = context.input_type(0).shape;
  if (type == DataType::kBFloat16 || !shape || shape->size() < 3) return context.unsupported(21);
  const int64_t groups = context.attributes().integer("num_groups");
  auto reshape = [&](const std::string& x, const std::vector<int64_t>& sizes) {
    return context.add("Reshape", {x, context.constant(Tensor::from_ints(sizes))}, {}, type);
  };
  auto filled = [&](double value) {
    Tensor tensor = Tensor::allocate(type, {groups});
    for (int64_t i = 0; i < groups; ++i) store_element<double>(tensor, i, value);
    return context.constant(std::move(tensor));
  };
  const std::string x = context.input(0);
  const std::string rows = TENON_TRY(reshape(x, {0, groups, -1}));
  const std::string normalized =
      TENON_TRY(context.add("InstanceNormalization", {rows, filled(1), filled(0)},
                            {{"epsilon", context.attributes().real("epsilon", 1e-5F)}}, type));
  const std::string sizes = TENON_TRY(context.add("Shape", {x}, {}, DataType::kInt64));
  const std::string result = TENON_TRY(context.add("Reshape", {normalized, sizes}, {}, type));
  std::vector<int64_t> by_channel(shape->size() - 1, 1);
  by_channel[0] = -1;
  const std::string scale = TENON_TRY(reshape(context.input(1), by_channel));
  const std::string bias = TENON_TRY(reshape(context.input(2), by_channel));
  const std::string scaled = TENON_TRY(context.add("Mul", {result, scale}, {}, type));
  return context.finish("Add", {scaled, bias});
}

namespace {

constexpr Tolerance kNormTolerance{Tolerance::Kind::kSum, 16};

}  // namespace

constinit const OpDef kLayerNormalization{.name = "LayerNormalization",
                                          .infer = infer_layer_normalization,
                                          .reference = reference_row_normalization,
                                          .emit = emit_layer_normalization,
                                          .rows = kLayerNormRows,
                                          .tolerance = kNormTolerance};
constinit const OpDef kRMSNormalization{.name = "RMSNormalization",
                                        .infer = infer_rms_normalization,
                                        .reference = reference_row_normalization,
                                        .emit = emit_rms_normalization,
                                        .tolerance = kNormTolerance};
constinit const OpDef kGroupNormalization{.name = "GroupNormalization",
                                          .infer = infer_group_normalization,
                                          .reference = reference_row_normalization,
                                          .upgrade = upgrade_group_normalization,
                                          .emit = emit_group_normalization,
                                          .tolerance = kNormTolerance};
constinit const OpDef kInstanceNormalization{.name = "InstanceNormalization",
                                             .infer = infer_same_as_first,
                                             .reference = reference_row_normalization,
                                             .upgrade = upgrade_attributes,
                                             .emit = emit_wide,
                                             .tolerance = kNormTolerance};

}  // namespace tenon::ops
