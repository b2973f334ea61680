// Normalisation layers.
#include <limits>
#include <numeric>

#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "lower/aten/sizes.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// A constant tensor of one number.
ValueId filled(LowerContext& context, DataType type, Shape shape, double value) {
  Tensor tensor = Tensor::allocate(type, std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i) store_element<double>(tensor, i, value);
  return context.builder().constant(std::move(tensor));
}

Result<ValueId> argument_or(LowerContext& context, std::string_view name, const Shape& shape, DataType type,
                            double value) {
  const ValueId given = TENON_TRY(context.optional_tensor(name));
  return given != kNoValue ? given : filled(context, type, shape, value);
}

Result<int64_t> channels_of(LowerContext& context, ValueId x) {
  const SymShape shape = TENON_TRY(context.known_shape(x));
  const auto channels = shape.size() > 1 ? shape[1].constant() : std::optional<int64_t>{1};
  if (!channels) return context.unsupported("the number of channels is not fixed");
  return *channels;
}

Result<float> epsilon_of(LowerContext& context, std::string_view name = "eps") {
  return static_cast<float>(TENON_TRY(context.args().number(name)));
}

// With the statistics of the batch: (x - mean) / sqrt(var + eps) * weight + bias over all but dimension 1.
Result<ValueId> batch_statistics_norm(LowerContext& context, ValueId input, ValueId weight, ValueId bias,
                                      float eps) {
  Math m(context.builder());
  const DataType type = m.type(input);
  const DataType wide = aten::computing_type(type);
  const ValueId x = TENON_TRY(m.cast(input, wide));
  const int64_t rank = TENON_TRY(m.rank(x));
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  if (rank > 1) axes.erase(axes.begin() + 1);
  std::vector<int64_t> by_channel(static_cast<size_t>(std::max<int64_t>(rank - 1, 1)), 1);
  by_channel[0] = -1;
  const ValueId mean = TENON_TRY(m.reduce(Op::kReduceMean, x, axes, true));
  const ValueId distance = TENON_TRY(m.sub(x, mean));
  const ValueId variance =
      TENON_TRY(m.reduce(Op::kReduceMean, TENON_TRY(m.mul(distance, distance)), axes, true));
  const ValueId deviation = TENON_TRY(m.add_node(Op::kSqrt, {TENON_TRY(m.add(variance, m.number(x, eps)))}));
  ValueId result = TENON_TRY(m.div(distance, deviation));
  auto parameter = [&](ValueId value) -> Result<ValueId> {
    return m.reshape(TENON_TRY(m.cast(value, wide)), by_channel);
  };
  if (weight != kNoValue) result = TENON_TRY(m.mul(result, TENON_TRY(parameter(weight))));
  if (bias != kNoValue) result = TENON_TRY(m.add(result, TENON_TRY(parameter(bias))));
  return m.cast(result, type);
}

// An argument, or as many times a number as `like` has elements, which may not be known.
Result<ValueId> argument_like(LowerContext& context, std::string_view name, ValueId like, double value) {
  if (const auto shape = static_shape(context, like))
    return argument_or(context, name, *shape, context.element(like), value);
  const ValueId given = TENON_TRY(context.optional_tensor(name));
  if (given != kNoValue) return given;
  return expand_like(context, context.number(context.element(like), value), like);
}

// With given statistics.
Result<ValueId> inference_norm(LowerContext& context, ValueId x, float eps) {
  const ValueId mean = TENON_TRY(context.tensor("running_mean"));
  const ValueId variance = TENON_TRY(context.tensor("running_var"));
  const ValueId weight = TENON_TRY(argument_like(context, "weight", mean, 1));
  const ValueId bias = TENON_TRY(argument_like(context, "bias", mean, 0));
  return context.add(Op::kBatchNormalization, {x, weight, bias, mean, variance}, {{"epsilon", eps}});
}

// Further outputs (statistics for the backward pass) are not made.
Status finish_first(LowerContext& context, ValueId result) {
  std::vector<ValueId> results(std::max<size_t>(context.node().outputs.size(), 1), kNoValue);
  results[0] = result;
  return context.finish(results);
}

Status lower_batch_norm(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  const ValueId x = TENON_TRY(context.tensor("input"));
  const float eps = TENON_TRY(epsilon_of(context, args.op() == "cudnn_batch_norm" ? "epsilon" : "eps"));
  const bool training = args.has("training") && TENON_TRY(args.boolean("training"));
  const bool tracked =
      args.has("running_mean") && TENON_TRY(context.optional_tensor("running_mean")) != kNoValue;
  if (!training && tracked) return finish_first(context, TENON_TRY(inference_norm(context, x, eps)));
  const ValueId weight = TENON_TRY(context.optional_tensor("weight"));
  const ValueId bias = TENON_TRY(context.optional_tensor("bias"));
  return finish_first(context, TENON_TRY(batch_statistics_norm(context, x, weight, bias, eps)));
}

Status lower_instance_norm(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("input"));
  const float eps = TENON_TRY(epsilon_of(context));
  if (!TENON_TRY(context.args().boolean("use_input_stats")))
    return context.finish(TENON_TRY(inference_norm(context, x, eps)));
  const Shape shape{TENON_TRY(channels_of(context, x))};
  const ValueId weight = TENON_TRY(argument_or(context, "weight", shape, context.element(x), 1));
  const ValueId bias = TENON_TRY(argument_or(context, "bias", shape, context.element(x), 0));
  return context.finish(Op::kInstanceNormalization, {x, weight, bias}, {{"epsilon", eps}});
}

Status lower_layer_norm(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("input"));
  const std::vector<int64_t> shape = TENON_TRY(context.args().integers("normalized_shape"));
  const ValueId weight = TENON_TRY(argument_or(context, "weight", shape, context.element(x), 1));
  std::vector<ValueId> inputs{x, TENON_TRY(context.cast(weight, context.element(x)))};
  const ValueId bias = TENON_TRY(context.optional_tensor("bias"));
  if (bias != kNoValue) inputs.push_back(TENON_TRY(context.cast(bias, context.element(x))));
  const Attributes attributes{{"axis", -static_cast<int64_t>(shape.size())},
                              {"epsilon", TENON_TRY(epsilon_of(context))}};
  return finish_first(context,
                      TENON_TRY(context.add(Op::kLayerNormalization, std::move(inputs), attributes)));
}

// The precision that a norm's statistics are taken in: float32, or that of a float64 input.
int64_t stash_type(DataType type) {
  return static_cast<int64_t>(type == DataType::kFloat64 ? DataType::kFloat64 : DataType::kFloat32);
}

// Without eps it is the spacing at 1 of the type that PyTorch computes in, which is float32 for half types.
Status lower_rms_norm(LowerContext& context) {
  const ValueId x = TENON_TRY(context.tensor("input"));
  const std::vector<int64_t> shape = TENON_TRY(context.args().integers("normalized_shape"));
  const DataType type = context.element(x);
  const double spacing = type == DataType::kFloat64 ? std::numeric_limits<double>::epsilon() : 0x1p-23;
  const double eps = TENON_TRY(context.args().optional_number("eps")).value_or(spacing);
  const ValueId weight = TENON_TRY(argument_or(context, "weight", shape, type, 1));
  const Attributes attributes{{"axis", -static_cast<int64_t>(shape.size())},
                              {"epsilon", static_cast<float>(eps)},
                              {"stash_type", stash_type(type)}};
  // The weight may be of another type, the result has the input's.
  const DataType common = aten::promote_types(type, context.element(weight));
  const ValueId result = TENON_TRY(
      context.add(Op::kRMSNormalization,
                  {TENON_TRY(context.cast(x, common)), TENON_TRY(context.cast(weight, common))}, attributes));
  return finish_first(context, TENON_TRY(context.cast(result, type)));
}

Status lower_group_norm(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  const ValueId x = TENON_TRY(context.tensor("input"));
  const int64_t groups = TENON_TRY(args.integer(args.op() == "native_group_norm" ? "group" : "num_groups"));
  const Shape shape{TENON_TRY(channels_of(context, x))};
  const ValueId weight = TENON_TRY(argument_or(context, "weight", shape, context.element(x), 1));
  const ValueId bias = TENON_TRY(argument_or(context, "bias", shape, context.element(x), 0));
  const Attributes attributes{{"num_groups", groups},
                              {"epsilon", TENON_TRY(epsilon_of(context))},
                              {"stash_type", stash_type(context.element(x))}};
  return finish_first(context,
                      TENON_TRY(context.add(Op::kGroupNormalization, {x, weight, bias}, attributes)));
}

constexpr Handler kHandlers[] = {
    {"aten.batch_norm", lower_batch_norm},
    {"aten.native_batch_norm", lower_batch_norm},
    {"aten.cudnn_batch_norm", lower_batch_norm},
    {"aten._native_batch_norm_legit", lower_batch_norm},
    {"aten._native_batch_norm_legit_no_training", lower_batch_norm},
    {"aten._batch_norm_no_update", lower_batch_norm},
    {"aten.instance_norm", lower_instance_norm},
    {"aten.layer_norm", lower_layer_norm},
    {"aten.native_layer_norm", lower_layer_norm},
    {"aten.rms_norm", lower_rms_norm},
    {"aten._fused_rms_norm", lower_rms_norm},
    {"aten.group_norm", lower_group_norm},
    {"aten.native_group_norm", lower_group_norm},
};

}  // namespace

std::span<const Handler> norm_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
