// Softmax and its kin, dropout, and conversions of the element type.
#include "lower/aten/families.h"
#include "lower/aten/math.h"
#include "tensor/element.h"

namespace tenon::lower {

namespace {

// `dtype`, where given, is what the input is converted to first.
Status lower_softmax(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  ValueId x = TENON_TRY(context.tensor("self"));
  if (args.has("dtype")) {
    if (const auto type = TENON_TRY(args.optional_dtype("dtype"))) x = TENON_TRY(context.cast(x, *type));
  } else if (args.has("half_to_float") && TENON_TRY(args.boolean("half_to_float"))) {
    x = TENON_TRY(context.cast(x, DataType::kFloat32));
  }
  x = TENON_TRY(Math(context.builder()).real(x));
  const int64_t axis = TENON_TRY(args.integer("dim"));
  const std::string_view name = args.op();
  const bool logarithm = name == "log_softmax" || name == "_log_softmax" || name == "special_log_softmax";
  const Op op = logarithm ? Op::kLogSoftmax : Op::kSoftmax;
  if (TENON_TRY(context.rank(x)) == 0) {
    const ValueId line = TENON_TRY(Math(context.builder()).reshape(x, {1}));
    const ValueId result = TENON_TRY(context.add(op, {line}, {{"axis", int64_t{0}}}));
    return context.finish(Op::kReshape, {result, context.ints({})});
  }
  const ValueId result = TENON_TRY(context.add(op, {x}, {{"axis", axis}}));
  if (name != "_safe_softmax") return context.finish(result);
  // A line of nothing but -inf gives zeros.
  Math m(context.builder());
  const ValueId top = TENON_TRY(m.reduce(Op::kReduceMax, x, {axis}, true));
  const ValueId masked = TENON_TRY(context.add(Op::kIsInf, {top}, {{"detect_positive", int64_t{0}}}));
  return context.finish(m.where(masked, m.number(result, 0), result));
}

// In evaluation dropout does nothing. In training mode it stays in the model, as the program says.
Status lower_dropout(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  const ValueId x = TENON_TRY(context.tensor("input"));
  const bool native = args.op() == "native_dropout";
  const bool training =
      native ? TENON_TRY(args.optional_boolean("train")).value_or(true) : TENON_TRY(args.boolean("train"));
  const double ratio = TENON_TRY(args.number("p"));
  if (!training && !native) return context.finish(x);
  if (args.op() != "dropout" && !native)
    return context.unsupported("this dropout is in training mode: call model.eval() before export");
  if (ratio == 1) return context.unsupported("dropout of everything, in training mode");
  const std::vector<ValueId> inputs{x, context.number(DataType::kFloat32, ratio),
                                    context.number(DataType::kBool, training ? 1 : 0)};
  return context.finish(TENON_TRY(context.add_multi(Op::kDropout, inputs, {}, 2)));
}

Status lower_to(LowerContext& context) {
  const aten::ArgumentReader& args = context.args();
  const ValueId x = TENON_TRY(context.tensor("self"));
  if (args.has("other"))
    return context.finish(context.cast(x, context.element(TENON_TRY(context.tensor("other")))));
  const auto type = args.has("dtype") ? TENON_TRY(args.optional_dtype("dtype")) : std::nullopt;
  return context.finish(context.cast(x, type.value_or(context.element(x))));
}

// aten.float(x) and the like, of TorchScript programs.
template <DataType type>
Status lower_to_type(LowerContext& context) {
  return context.finish(context.cast(TENON_TRY(context.tensor("self")), type));
}

constexpr Handler kHandlers[] = {
    {"aten.softmax", lower_softmax},
    {"aten._softmax", lower_softmax},
    {"aten._safe_softmax", lower_softmax},
    {"aten.special_softmax", lower_softmax},
    {"aten.log_softmax", lower_softmax},
    {"aten._log_softmax", lower_softmax},
    {"aten.special_log_softmax", lower_softmax},
    {"aten.dropout", lower_dropout},
    {"aten.feature_dropout", lower_dropout},
    {"aten.alpha_dropout", lower_dropout},
    {"aten.feature_alpha_dropout", lower_dropout},
    {"aten.native_dropout", lower_dropout},
    {"aten.to", lower_to},
    {"aten._to_copy", lower_to},
    {"aten.type_as", lower_to},
    {"aten.float", lower_to_type<DataType::kFloat32>},
    {"aten.double", lower_to_type<DataType::kFloat64>},
    {"aten.half", lower_to_type<DataType::kFloat16>},
    {"aten.bfloat16", lower_to_type<DataType::kBFloat16>},
    {"aten.int", lower_to_type<DataType::kInt32>},
    {"aten.long", lower_to_type<DataType::kInt64>},
    {"aten.bool", lower_to_type<DataType::kBool>},
};

}  // namespace

std::span<const Handler> softmax_handlers() {
  return kHandlers;
}

}  // namespace tenon::lower
