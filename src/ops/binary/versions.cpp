// How the binary and variadic operators changed: explicit broadcast until opset 6, element types since.
#include "ops/binary/binary.h"

#include "ops/core/emit_wide.h"
#include "ops/core/registry.h"
#include "ops/core/upgrade_attributes.h"
#include "tensor/element.h"

namespace tenon::ops {

namespace {

bool schema_takes(const EmitContext& context, std::string_view op_type, DataType type) {
  const Schema* schema = find_schema("", op_type, context.opset());
  return schema != nullptr && schema->input(0)->types.has_tensor(type);
}

Op op_in_force(const UpgradeContext& context) {
  return op_of(*find_op(context.schema().domain, context.schema().name));
}

// `value` with `count` dimensions of length 1 behind its own.
Result<ValueId> append_dims(UpgradeContext& context, ValueId value, int64_t rank, int64_t count) {
  if (count == 0) return value;
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < count; ++i) axes.push_back(rank + i);
  return context.add(op_of(*find_op("", "Unsqueeze")), {value, context.builder().constant_ints(axes)});
}

}  // namespace

Status upgrade_broadcast(UpgradeContext& context) {
  Attributes attributes = context.attributes();
  std::vector<ValueId> inputs = context.inputs();
  if (context.since_version() < 7 && attributes.integer("broadcast", 0) != 0 && attributes.has("axis")) {
    const SymShape* a = context.builder().shape(context.input(0));
    const SymShape* b = context.builder().shape(context.input(1));
    if (a == nullptr || b == nullptr)
      return fail(ErrorCode::kUnsupported, "the ranks of operands with a broadcast axis are not known");
    const auto rank = static_cast<int64_t>(a->size());
    const auto rank_b = static_cast<int64_t>(b->size());
    const int64_t axis = TENON_TRY(normalize_axis(attributes.integer("axis"), std::max<int64_t>(rank, 1)));
    if (axis + rank_b > rank)
      return fail(ErrorCode::kInvalidModel, "operand of rank {} at axis {} exceeds rank {}", rank_b, axis,
                  rank);
    inputs[1] = TENON_TRY(append_dims(context, inputs[1], rank_b, rank - axis - rank_b));
  }
  for (const char* name : {"broadcast", "axis", "consumed_inputs"}) attributes.erase(name);
  return context.finish(op_in_force(context), std::move(inputs), std::move(attributes));
}

Status upgrade_prelu(UpgradeContext& context) {
  const SymShape* x = context.builder().shape(context.input(0));
  const SymShape* slope = context.builder().shape(context.input(1));
  if (context.since_version() >= 7 || x == nullptr || slope == nullptr || slope->size() != 1 ||
      (*slope)[0].is(1) || x->size() < 3)
    return upgrade_attributes(context);
  std::vector<ValueId> inputs = context.inputs();
  inputs[1] = TENON_TRY(append_dims(context, inputs[1], 1, static_cast<int64_t>(x->size()) - 2));
  return context.finish(Op::kPRelu, std::move(inputs), {});
}

Status emit_min_max(EmitContext& context) {
  const DataType type = context.input_type(0).element;
  const std::string_view name = op_name(context.node().op);
  if (schema_takes(context, name, type)) return emit_unchanged(context);
  const std::string_view compare = context.node().op == Op::kMin ? "Less" : "Greater";
  if (!is_integer(type) || !schema_takes(context, compare, type)) return emit_wide_ordered(context);
  std::string best = context.input(0);
  const size_t count = context.node().inputs.size();
  if (count == 1) return context.finish("Identity", {best});
  for (size_t i = 1; i < count; ++i) {
    const std::string better = TENON_TRY(context.add(compare, {best, context.input(i)}, {}, DataType::kBool));
    if (i + 1 == count) return context.finish("Where", {better, best, context.input(i)});
    best = TENON_TRY(context.add("Where", {better, best, context.input(i)}));
  }
  return {};
}

Status emit_or_equal(EmitContext& context) {
  if (context.opset() >= 12) return emit_wide_ordered(context);
  const bool less = context.node().op == Op::kLessOrEqual;
  const DataType type = context.input_type(0).element;
  const std::string_view strict = less ? "Less" : "Greater";
  if (!schema_takes(context, strict, type) || !schema_takes(context, "Equal", type))
    return context.unsupported(is_float(type) && type != DataType::kBFloat16 ? 11 : 16);
  const std::vector<std::string> operands = context.inputs();
  const std::string first = TENON_TRY(context.add(strict, operands, {}, DataType::kBool));
  const std::string second = TENON_TRY(context.add("Equal", operands, {}, DataType::kBool));
  return context.finish("Or", {first, second});
}

Status emit_equal(EmitContext& context) {
  if (context.input_type(0).element == DataType::kString && context.opset() < 19)
    return context.unsupported(19, "Equal of strings");
  return emit_wide_ordered(context);
}

Status emit_pow(EmitContext& context) {
  const DataType type = context.input_type(0).element;
  const DataType exponent = context.input_type(1).element;
  if (!schema_takes(context, "Pow", type) || (context.opset() < 12 && type != exponent) ||
      (context.opset() < 15 && exponent == DataType::kBFloat16)) {
    // Before opset 12 there is one type for both: reals take the exponent as it is, integers pass through
    // float64 (a power beyond 2^53 would be rounded there).
    if (is_integer(type)) return context.unsupported(12, "Pow of integers");
    const DataType wide = schema_takes(context, "Pow", type) ? type : DataType::kFloat32;
    std::vector<std::string> operands = context.inputs();
    for (size_t i = 0; i < 2; ++i) {
      if (context.input_type(i).element == wide) continue;
      operands[i] = TENON_TRY(context.add("Cast", {operands[i]}, {{"to", static_cast<int64_t>(wide)}}, wide));
    }
    if (wide == type) return context.finish("Pow", operands);
    const std::string power = TENON_TRY(context.add("Pow", operands, {}, wide));
    return context.finish("Cast", {power}, {{"to", static_cast<int64_t>(type)}});
  }
  return emit_unchanged(context);
}

Status emit_bit_shift(EmitContext& context) {
  const DataType type = context.input_type(0).element;
  if (schema_takes(context, "BitShift", type)) return emit_unchanged(context);
  return context.unsupported(compute_kind(type) == ComputeKind::kSigned ? 28 : 11);
}

Status emit_mod(EmitContext& context) {
  const bool real = is_float(context.input_type(0).element);
  if (real && context.attributes().integer("fmod", 0) == 0 && context.opset() < 28)
    return context.unsupported(28, "Mod of real numbers with the divisor's sign");
  return emit_wide(context);
}

}  // namespace tenon::ops
