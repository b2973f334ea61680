// RandomNormal, RandomUniform (and Like), Bernoulli and Multinomial (ONNX Operators.md). With a seed a run
// repeats; without one each run draws anew.
#include <bit>
#include <cmath>

#include "ops/core/emit_wide.h"
#include "ops/core/op_def.h"
#include "ops/random/generator.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

uint32_t seed_of(KernelContext& context) {
  const AttributeValue* seed = context.attributes().find("seed");
  const auto* value = seed != nullptr ? std::get_if<float>(seed) : nullptr;
  if (value == nullptr) return static_cast<uint32_t>(context.services().random_seed());
  const double whole = std::nearbyint(static_cast<double>(*value));
  if (whole == static_cast<double>(*value) && whole >= 0 && whole < 0x1p32)
    return static_cast<uint32_t>(whole);
  return std::bit_cast<uint32_t>(*value);
}

bool is_like(Op op) {
  return op == Op::kRandomNormalLike || op == Op::kRandomUniformLike || op == Op::kBernoulli;
}

// The attribute dtype, or `fallback` when it is absent.
Result<DataType> type_of(const Attributes& attributes, DataType fallback) {
  if (!attributes.has("dtype")) return fallback;
  const int64_t type = attributes.integer("dtype");
  if (type <= 0 || type >= kDataTypeCount || static_cast<DataType>(type) == DataType::kString)
    return fail(ErrorCode::kInvalidModel, "{} is not an element type to draw", type);
  return static_cast<DataType>(type);
}

Status infer_random(InferContext& context) {
  if (is_like(context.node().op)) {
    std::optional<SymShape> shape;
    if (context.shape(0) != nullptr) shape = *context.shape(0);
    context.set_output(0, TENON_TRY(type_of(context.attributes(), context.element(0))), std::move(shape));
    return {};
  }
  const std::vector<int64_t> shape = context.attributes().integers("shape");
  if (!element_count(shape).ok()) return fail(ErrorCode::kInvalidModel, "bad shape {}", to_string(shape));
  context.set_output(0, TENON_TRY(type_of(context.attributes(), DataType::kFloat32)), to_sym(shape));
  return {};
}

Status reference_random(KernelContext& context) {
  const Op op = context.node().op;
  const Attributes& attributes = context.attributes();
  const Shape shape = is_like(op) ? context.input(0).shape() : Shape(attributes.integers("shape"));
  TENON_TRY(element_count(shape));
  const DataType type =
      TENON_TRY(type_of(attributes, is_like(op) ? context.input(0).type() : DataType::kFloat32));
  RandomGenerator generator(seed_of(context));
  Tensor& output = context.output(0, type, shape);
  const bool normal = op == Op::kRandomNormal || op == Op::kRandomNormalLike;
  const double low = normal ? attributes.real("mean", 0) : attributes.real("low", 0);
  const double span = normal ? attributes.real("scale", 1) : attributes.real("high", 1) - low;
  for (int64_t i = 0; i < output.size(); ++i) {
    if (i % 65536 == 0) TENON_TRY(context.services().interrupted());
    double value = 0;
    if (op == Op::kBernoulli)
      value = generator.uniform() < load_element<double>(context.input(0), i) ? 1 : 0;
    else
      value = low + span * (normal ? generator.normal() : generator.uniform());
    store_element(output, i, value);
  }
  return {};
}

Status infer_multinomial(InferContext& context) {
  const DataType type = TENON_TRY(type_of(context.attributes(), DataType::kInt32));
  const int64_t samples = context.attributes().integer("sample_size", 1);
  if (samples < 0) return fail(ErrorCode::kInvalidModel, "{} samples", samples);
  const SymShape* shape = context.shape(0);
  if (shape != nullptr && shape->size() != 2)
    return fail(ErrorCode::kInvalidModel, "Multinomial needs a matrix, not {}", to_string(*shape));
  context.set_output(0, type, SymShape{shape != nullptr ? (*shape)[0] : context.fresh_symbol(), samples});
  return {};
}

// Draws by the inverse of the cumulative distribution; inputs are logarithms of weights.
Status reference_multinomial(KernelContext& context) {
  const Tensor& input = context.input(0);
  if (input.rank() != 2 || input.dim(1) == 0)
    return fail(ErrorCode::kMismatch, "Multinomial needs a matrix with columns, not {}",
                to_string(input.shape()));
  const int64_t samples = context.attributes().integer("sample_size", 1);
  const int64_t classes = input.dim(1);
  RandomGenerator generator(seed_of(context));
  Tensor& output =
      context.output(0, TENON_TRY(type_of(context.attributes(), DataType::kInt32)), {input.dim(0), samples});
  std::vector<double> cumulative(static_cast<size_t>(classes));
  for (int64_t row = 0; row < input.dim(0); ++row) {
    TENON_TRY(context.services().interrupted());
    load_elements<double>(input.type(), input.raw(), row * classes, classes, cumulative.data());
    const double top = *std::max_element(cumulative.begin(), cumulative.end());
    double sum = 0;
    for (double& value : cumulative) value = sum += std::exp(value - top);
    for (int64_t i = 0; i < samples; ++i) {
      const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), generator.uniform() * sum);
      store_element(output, row * samples + i, std::min<int64_t>(found - cumulative.begin(), classes - 1));
    }
  }
  return {};
}

// Opset 15; bfloat16 probabilities since 22. Before: RandomUniformLike below the probability.
Status emit_bernoulli(EmitContext& context) {
  if (context.opset() >= 15) return emit_unchanged(context);
  const DataType type = context.input_type(0).element;
  const int64_t to = context.attributes().integer("dtype", static_cast<int64_t>(type));
  Attributes attributes{{"dtype", static_cast<int64_t>(type)}, {"low", 0.0F}, {"high", 1.0F}};
  if (context.attributes().has("seed")) attributes.set("seed", context.attributes().real("seed"));
  const std::string drawn = TENON_TRY(context.add("RandomUniformLike", {context.input(0)}, attributes));
  const std::string below = TENON_TRY(context.add("Less", {drawn, context.input(0)}, {}, DataType::kBool));
  return context.finish("Cast", {below}, {{"to", to}});
}

constexpr OpDef random(std::string_view name, Emit emit = emit_unchanged) {
  return {.name = name,
          .infer = infer_random,
          .reference = reference_random,
          .emit = emit,
          .traits = {.deterministic = false}};
}

}  // namespace

constinit const OpDef kRandomNormal = random("RandomNormal");
constinit const OpDef kRandomNormalLike = random("RandomNormalLike");
constinit const OpDef kRandomUniform = random("RandomUniform");
constinit const OpDef kRandomUniformLike = random("RandomUniformLike");
constinit const OpDef kBernoulli = random("Bernoulli", emit_bernoulli);
constinit const OpDef kMultinomial{.name = "Multinomial",
                                   .infer = infer_multinomial,
                                   .reference = reference_multinomial,
                                   .traits = {.deterministic = false}};

}  // namespace tenon::ops
