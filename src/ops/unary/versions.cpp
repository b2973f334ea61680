// Unary operators at opsets that lack them: the same function written with older operators, after the
// function bodies in ONNX's Operators.md.
#include <cmath>
#include <limits>
#include <numbers>

#include "ops/core/emit_wide.h"
#include "ops/unary/unary.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

// A scalar constant of the type of input 0, in the file.
std::string scalar_like_input(EmitContext& context, double value) {
  Tensor tensor = Tensor::allocate(context.input_type(0).element, {});
  store_element<double>(tensor, 0, value);
  return context.constant(std::move(tensor));
}

bool schema_takes_input(const EmitContext& context, std::string_view op_type) {
  const Schema* schema = find_schema("", op_type, context.opset());
  return schema != nullptr && schema->input(0)->types.has_tensor(context.input_type(0).element);
}

}  // namespace

// Opset 14. Before: x * HardSigmoid(x, 1/6, 1/2); in float64, whose sixth float32 does not hold,
// x * (Clip(x + 3, 0, 6) / 6). Clip has its bounds as attributes before opset 11.
Status emit_hard_swish(EmitContext& context) {
  if (context.opset() >= 14) return emit_wide(context);
  if (context.input_type(0).element == DataType::kFloat64) {
    const std::string six = scalar_like_input(context, 6);
    std::vector<std::string> inputs{
        TENON_TRY(context.add("Add", {context.input(0), scalar_like_input(context, 3)}))};
    Attributes bounds;
    if (context.opset() >= 11) {
      inputs.push_back(scalar_like_input(context, 0));
      inputs.push_back(six);
    } else {
      bounds = {{"min", 0.0F}, {"max", 6.0F}};
    }
    const std::string clipped = TENON_TRY(context.add("Clip", std::move(inputs), std::move(bounds)));
    const std::string gate = TENON_TRY(context.add("Div", {clipped, six}));
    return context.finish("Mul", {context.input(0), gate});
  }
  const std::string gate =
      TENON_TRY(context.add("HardSigmoid", {context.input(0)}, {{"alpha", 1.0F / 6}, {"beta", 0.5F}}));
  return context.finish("Mul", {context.input(0), gate});
}

// Opset 18. Before: x * tanh(softplus(x)).
Status emit_mish(EmitContext& context) {
  if (context.opset() >= 18) return emit_wide(context);
  const std::string softplus = TENON_TRY(context.add("Softplus", {context.input(0)}));
  const std::string gate = TENON_TRY(context.add("Tanh", {softplus}));
  return context.finish("Mul", {context.input(0), gate});
}

// Opset 20. Before: x/2 * (1 + erf(x / sqrt(2))), or with tanh; Erf is of opset 9.
Status emit_gelu(EmitContext& context) {
  if (context.opset() >= 20) return emit_wide(context);
  if (context.opset() < 9) return context.unsupported(9, "Erf is needed");
  const std::string x = context.input(0);
  const std::string one = scalar_like_input(context, 1);
  const std::string half = scalar_like_input(context, 0.5);
  std::string curve;
  if (context.attributes().string("approximate", "none") == "tanh") {
    const std::string three = scalar_like_input(context, 3);
    const std::string cube = TENON_TRY(context.add("Pow", {x, three}));
    const std::string scaled_cube =
        TENON_TRY(context.add("Mul", {cube, scalar_like_input(context, 0.044715)}));
    const std::string sum = TENON_TRY(context.add("Add", {x, scaled_cube}));
    const std::string argument =
        TENON_TRY(context.add("Mul", {sum, scalar_like_input(context, std::sqrt(2 / std::numbers::pi))}));
    curve = TENON_TRY(context.add("Tanh", {argument}));
  } else {
    const std::string argument =
        TENON_TRY(context.add("Div", {x, scalar_like_input(context, std::numbers::sqrt2)}));
    curve = TENON_TRY(context.add("Erf", {argument}));
  }
  const std::string gate = TENON_TRY(context.add("Add", {curve, one}));
  const std::string product = TENON_TRY(context.add("Mul", {x, gate}));
  return context.finish("Mul", {product, half});
}

// Opset 24. Before: x * sigmoid(alpha * x).
Status emit_swish(EmitContext& context) {
  if (context.opset() >= 24) return emit_wide(context);
  const float alpha = context.attributes().real("alpha", 1);
  std::string argument = context.input(0);
  if (alpha != 1.0F) argument = TENON_TRY(context.add("Mul", {argument, scalar_like_input(context, alpha)}));
  const std::string gate = TENON_TRY(context.add("Sigmoid", {argument}));
  return context.finish("Mul", {context.input(0), gate});
}

// Opset 12 for float32, 28 for the other types. Before: Elu when alpha is 1, else
// max(0, x) + min(0, alpha * Elu(x / alpha)).
Status emit_celu(EmitContext& context) {
  if (schema_takes_input(context, "Celu")) return emit_unchanged(context);
  const float alpha = context.attributes().real("alpha", 1);
  const std::string x = context.input(0);
  if (alpha == 1.0F) return context.finish("Elu", {x}, {{"alpha", 1.0F}});
  const std::string scale = scalar_like_input(context, alpha);
  const std::string zero = scalar_like_input(context, 0);
  const std::string scaled = TENON_TRY(context.add("Div", {x, scale}));
  const std::string elu = TENON_TRY(context.add("Elu", {scaled}, {{"alpha", 1.0F}}));
  const std::string product = TENON_TRY(context.add("Mul", {elu, scale}));
  const std::string negative = TENON_TRY(context.add("Min", {product, zero}));
  const std::string positive = TENON_TRY(context.add("Relu", {x}));
  return context.finish("Add", {positive, negative});
}

// Opset 14 for integers. Before: Where(x < 0, 0, x) for those (Less takes integers from 9 on).
Status emit_relu(EmitContext& context) {
  if (!is_integer(context.input_type(0).element) || schema_takes_input(context, "Relu"))
    return emit_wide(context);
  if (context.opset() < 9) return context.unsupported(14, "Relu of integers");
  const std::string zero = scalar_like_input(context, 0);
  const std::string negative = TENON_TRY(context.add("Less", {context.input(0), zero}, {}, DataType::kBool));
  return context.finish("Where", {negative, zero, context.input(0)});
}

// Opset 18. Before, in two's complement: -1 - x for signed types, MAX - x for unsigned ones.
Status emit_bitwise_not(EmitContext& context) {
  if (context.opset() >= 18) return emit_unchanged(context);
  const DataType type = context.input_type(0).element;
  if (!is_integer(type)) return context.unsupported(18);
  Tensor ones = Tensor::allocate(type, {});
  store_element<int64_t>(ones, 0, -1);
  const Schema* sub = find_schema("", "Sub", context.opset());
  if (sub != nullptr && sub->input(0)->types.has_tensor(type))
    return context.finish("Sub", {context.constant(std::move(ones)), context.input(0)});
  Tensor all = Tensor::allocate(DataType::kInt32, {});
  store_element<int64_t>(all, 0, load_element<int64_t>(ones, 0));
  const auto wide = static_cast<int64_t>(DataType::kInt32);
  const std::string x = TENON_TRY(context.add("Cast", {context.input(0)}, {{"to", wide}}, DataType::kInt32));
  const std::string difference =
      TENON_TRY(context.add("Sub", {context.constant(std::move(all)), x}, {}, DataType::kInt32));
  return context.finish("Cast", {difference}, {{"to", static_cast<int64_t>(type)}});
}

// Opset 9.
Status emit_is_nan(EmitContext& context) {
  if (context.opset() < 9) return context.unsupported(9);
  return emit_wide(context);
}

}  // namespace tenon::ops
