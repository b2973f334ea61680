// The check of a run's inputs: names, kinds, element types, ranks, and sizes, where one symbol stands for one
// number throughout, and that number is among those that the model holds for.
#include "base/near_names.h"
#include "base/try.h"
#include "runtime/input_sizes.h"
#include "runtime/session_state.h"

namespace tenon {

namespace {

Error mismatch(const GraphValue& expected, const Value& given, const std::string& why = "") {
  return fail(ErrorCode::kMismatch, "input '{}' takes {}, and {} was given{}", expected.name,
              expected.type.to_string(), ValueType::of(given).to_string(), why);
}

Status check_kind(const GraphValue& expected, const Value& given) {
  using Kind = ValueType::Kind;
  if (expected.type.kind == Kind::kUnknown) return {};
  if (expected.type.kind == Kind::kTensor && given.is_tensor() &&
      (expected.type.element == DataType::kUndefined || expected.type.element == given.tensor().type()))
    return {};
  ValueType type = ValueType::of(given);
  if (type.kind != expected.type.kind) return mismatch(expected, given);
  if (type.kind == Kind::kTensor && expected.type.element != DataType::kUndefined &&
      type.element != expected.type.element)
    return with_hint(mismatch(expected, given),
                     fmt::format("convert the array to {}", data_type_name(expected.type.element)));
  return {};
}

Error wrong_size(const GraphValue& expected, const Value& given, size_t d, const std::string& why) {
  return mismatch(expected, given, fmt::format(": dimension {} {}", d, why));
}

/// Checks ranks, and the sizes that are numbers or plain symbols, and learns the symbols.
Status check_sizes(const GraphValue& expected, const Value& given, SymbolSizes& symbols) {
  if (!given.is_tensor() || !expected.type.shape) return {};
  const SymShape& shape = *expected.type.shape;
  const Shape& actual = given.tensor().shape();
  if (shape.size() != actual.size()) return mismatch(expected, given);
  for (size_t d = 0; d < shape.size(); ++d) {
    if (auto size = shape[d].constant(); size && *size != actual[d]) return mismatch(expected, given);
    auto name = shape[d].symbol_name();
    if (!name) continue;
    symbols.learn({*name, 1, 0}, actual[d]);
    if (auto known = symbols.find(*name); known && *known != actual[d])
      return wrong_size(expected, given, d, fmt::format("has to be {}, as '{}' is elsewhere", *known, *name));
  }
  return {};
}

/// Checks sizes that are expressions of symbols, and learns symbols that stand nowhere alone.
Status check_expressions(const GraphValue& expected, const Value& given, SymbolSizes& symbols) {
  if (!given.is_tensor() || !expected.type.shape) return {};
  for (size_t d = 0; d < expected.type.shape->size(); ++d) {
    const SymInt& dimension = (*expected.type.shape)[d];
    const int64_t actual = given.tensor().dim(d);
    if (dimension.is_constant()) continue;
    if (auto form = LinearSize::of(dimension); form && !symbols.learn(*form, actual))
      return wrong_size(expected, given, d,
                        fmt::format("has to be of the form {}, not {}", dimension.to_string(), actual));
    if (auto size = symbols.evaluate(dimension); size && *size != actual)
      return wrong_size(expected, given, d,
                        fmt::format("has to be {} = {}, not {}", dimension.to_string(), *size, actual));
  }
  return {};
}

/// Checks that sizes are among those that the model holds for.
Status check_ranges(const GraphValue& expected, const Value& given, const SizeRanges& ranges) {
  if (ranges.empty() || !given.is_tensor() || !expected.type.shape) return {};
  for (size_t d = 0; d < expected.type.shape->size(); ++d) {
    const SymInt& dimension = (*expected.type.shape)[d];
    const SizeRange range = allowed_sizes(dimension, ranges);
    if (range.holds(given.tensor().dim(d))) continue;
    return with_hint(wrong_size(expected, given, d,
                                fmt::format("('{}') has to be {}, not {}", dimension.to_string(),
                                            range.to_string(), given.tensor().dim(d))),
                     "torch.export traced the model for these sizes only");
  }
  return {};
}

std::vector<std::string> names_of(const std::vector<ValueDescription>& descriptions) {
  std::vector<std::string> names;
  for (const ValueDescription& description : descriptions) names.push_back(description.name);
  return names;
}

}  // namespace

Status name_inputs(const std::vector<ValueDescription>& descriptions, const TypedModel& model,
                   std::span<const NamedValue> given, std::vector<const Value*>& inputs) {
  const Graph& graph = model.graph;
  inputs.assign(descriptions.size(), nullptr);
  for (const NamedValue& named : given) {
    size_t i = 0;
    while (i < descriptions.size() && descriptions[i].name != named.name) ++i;
    if (i == descriptions.size())
      return with_hint(fail(ErrorCode::kUsage, "the model has no input named '{}'", named.name),
                       near_names_hint(named.name, names_of(descriptions)));
    if (inputs[i] != nullptr)
      return fail(ErrorCode::kUsage, "input '{}' was given more than once", named.name);
    inputs[i] = &named.value;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const GraphValue& expected = graph.value(graph.inputs[i]);
    if (inputs[i] != nullptr)
      TENON_TRY(check_kind(expected, *inputs[i]));
    else if (!descriptions[i].has_default)
      return fail(ErrorCode::kUsage, "input '{}' ({}) was not given", expected.name,
                  expected.type.to_string());
  }
  return {};
}

Status check_input_sizes(const TypedModel& model, std::span<const Value* const> inputs) {
  const Graph& graph = model.graph;
  SymbolSizes symbols;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i] != nullptr) TENON_TRY(check_sizes(graph.value(graph.inputs[i]), *inputs[i], symbols));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr) continue;
    const GraphValue& expected = graph.value(graph.inputs[i]);
    TENON_TRY(check_expressions(expected, *inputs[i], symbols));
    TENON_TRY(check_ranges(expected, *inputs[i], model.ranges));
  }
  return {};
}

Status match_inputs(const std::vector<ValueDescription>& descriptions, const TypedModel& model,
                    std::span<const NamedValue> given, std::vector<const Value*>& inputs) {
  TENON_TRY(name_inputs(descriptions, model, given, inputs));
  return check_input_sizes(model, inputs);
}

}  // namespace tenon
