// Dropout (ONNX Operators.md): in training each element is dropped with probability `ratio` and the others
// are scaled by 1 / (1 - ratio); else nothing happens. With a seed it drops what numpy's RandomState would.
#include "ops/core/op_def.h"
#include "ops/random/generator.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

Status infer_dropout(InferContext& context) {
  TENON_TRY(infer_same_as_first(context));
  if (!context.has_output(1)) return {};
  std::optional<SymShape> shape;
  if (context.shape(0) != nullptr) shape = *context.shape(0);
  context.set_output(1, DataType::kBool, std::move(shape));
  return {};
}

Status reference_dropout(KernelContext& context) {
  const Tensor& input = context.input(0);
  double ratio = 0.5;
  if (context.has_input(1)) {
    if (context.input(1).size() != 1)
      return fail(ErrorCode::kMismatch, "the ratio of Dropout is not a scalar");
    ratio = load_element<double>(context.input(1), 0);
  }
  bool training = false;
  if (context.has_input(2)) {
    if (context.input(2).size() != 1) return fail(ErrorCode::kMismatch, "training_mode is not a scalar");
    training = load_element<int64_t>(context.input(2), 0) != 0;
  }
  if (!training || ratio == 0) {
    context.set_output(0, input);
    if (context.wants_output(1)) {
      Tensor& mask = context.output(1, DataType::kBool, input.shape());
      std::fill_n(mask.mutable_data<uint8_t>(), mask.size(), uint8_t{1});
    }
    return {};
  }
  if (!(ratio >= 0 && ratio < 1)) return fail(ErrorCode::kMismatch, "the ratio {} is outside [0, 1)", ratio);
  const auto seed = context.attributes().has("seed")
                        ? static_cast<uint64_t>(context.attributes().integer("seed"))
                        : context.services().random_seed();
  RandomGenerator generator(static_cast<uint32_t>(seed));
  const double scale = 1 / (1 - ratio);
  Tensor& output = context.output(0, input.type(), input.shape());
  Tensor* mask = context.wants_output(1) ? &context.output(1, DataType::kBool, input.shape()) : nullptr;
  for (int64_t i = 0; i < input.size(); ++i) {
    if (i % 65536 == 0) TENON_TRY(context.services().interrupted());
    const bool keep = generator.uniform() >= ratio;
    store_element<double>(output, i, keep ? load_element<double>(input, i) * scale : 0);
    if (mask != nullptr) mask->mutable_data<uint8_t>()[i] = keep;
  }
  return {};
}

// Until opset 6 is_test said whether to drop (dropping is not read), until 11 the ratio was an attribute and
// nothing was ever dropped; until 9 the mask had the type of the data.
Status upgrade_dropout(UpgradeContext& context) {
  if (context.since_version() >= 12) return upgrade_unchanged(context);
  if (context.since_version() < 7 && context.attributes().integer("is_test", 0) == 0)
    return fail(ErrorCode::kUnsupported, "Dropout in training, of opset {}, is not supported",
                context.opset());
  GraphBuilder& builder = context.builder();
  const ValueId x = context.input(0);
  const ValueId ratio = builder.constant_scalar(DataType::kFloat32, context.attributes().real("ratio", 0.5F));
  if (context.since_version() >= 10 || !context.has_output(1))
    return context.finish(Op::kDropout, {x, ratio}, {});
  const ValueId mask = builder.graph().add_value(builder.graph().value(context.outputs()[1]).name + ".mask");
  TENON_TRY(context.finish(Op::kDropout, {x, ratio}, {}, {context.outputs()[0], mask}));
  Node cast;
  cast.op = Op::kCast;
  cast.name = builder.graph().value(mask).name;
  cast.inputs = {mask};
  cast.outputs = {context.outputs()[1]};
  cast.attributes.set("to", static_cast<int64_t>(builder.element(x)));
  return builder.add_node(std::move(cast));
}

Status emit_dropout(EmitContext& context) {
  if (context.opset() >= 12) return emit_unchanged(context);
  if (context.has_input(2)) {
    const Tensor* training = context.constant(2);
    if (training == nullptr || training->size() != 1 || load_element<int64_t>(*training, 0) != 0)
      return context.unsupported(12, "training_mode");
  }
  double ratio = 0.5;
  if (context.has_input(1)) {
    const Tensor* constant = context.constant(1);
    if (constant == nullptr || constant->size() != 1)
      return context.unsupported(12, "a ratio that is not constant");
    ratio = load_element<double>(*constant, 0);
  }
  if (context.opset() < 10 && context.has_output(1)) return context.unsupported(10, "the mask as bool");
  return context.finish("Dropout", {context.input(0)}, {{"ratio", static_cast<float>(ratio)}});
}

}  // namespace

constinit const OpDef kDropout{.name = "Dropout",
                               .infer = infer_dropout,
                               .reference = reference_dropout,
                               .upgrade = upgrade_dropout,
                               .emit = emit_dropout,
                               .traits = {.deterministic = false}};

}  // namespace tenon::ops
