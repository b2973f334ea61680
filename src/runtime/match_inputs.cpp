// The check of a run's inputs: names, kinds, element types, ranks, and sizes, where one symbol stands for one
// number throughout.
#include <unordered_map>

#include "base/try.h"
#include "runtime/near_names.h"
#include "runtime/session_state.h"

namespace tenon {

namespace {

using Symbols = std::unordered_map<std::string, int64_t>;

Error mismatch(const GraphValue& expected, const Value& given, const std::string& why = "") {
  return fail(ErrorCode::kMismatch, "input '{}' takes {}, and {} was given{}", expected.name,
              expected.type.to_string(), ValueType::of(given).to_string(), why);
}

Status check_kind(const GraphValue& expected, const Value& given) {
  using Kind = ValueType::Kind;
  ValueType type = ValueType::of(given);
  if (expected.type.kind == Kind::kUnknown) return {};
  if (type.kind != expected.type.kind) return mismatch(expected, given);
  if (type.kind == Kind::kTensor && expected.type.element != DataType::kUndefined &&
      type.element != expected.type.element)
    return mismatch(expected, given);
  return {};
}

/// Checks the sizes that are numbers or plain symbols, and learns the symbols.
Status check_sizes(const GraphValue& expected, const Value& given, Symbols& symbols) {
  if (!given.is_tensor() || !expected.type.shape) return {};
  const SymShape& shape = *expected.type.shape;
  const Shape& actual = given.tensor().shape();
  if (shape.size() != actual.size()) return mismatch(expected, given);
  for (size_t d = 0; d < shape.size(); ++d) {
    if (auto size = shape[d].constant(); size && *size != actual[d]) return mismatch(expected, given);
    auto name = shape[d].symbol_name();
    if (!name) continue;
    auto [known, is_new] = symbols.try_emplace(*name, actual[d]);
    if (known->second != actual[d])
      return mismatch(expected, given, fmt::format(" ('{}' is {} elsewhere)", *name, known->second));
  }
  return {};
}

/// Checks sizes that are expressions of symbols, as far as the symbols are known.
Status check_expressions(const GraphValue& expected, const Value& given, const Symbols& symbols) {
  if (!given.is_tensor() || !expected.type.shape) return {};
  for (size_t d = 0; d < expected.type.shape->size(); ++d) {
    auto size = (*expected.type.shape)[d].evaluate([&](const std::string& name) -> std::optional<int64_t> {
      auto known = symbols.find(name);
      return known == symbols.end() ? std::nullopt : std::optional<int64_t>(known->second);
    });
    if (size && *size != given.tensor().dim(d)) return mismatch(expected, given);
  }
  return {};
}

std::vector<std::string> names_of(const std::vector<ValueDescription>& descriptions) {
  std::vector<std::string> names;
  for (const ValueDescription& description : descriptions) names.push_back(description.name);
  return names;
}

}  // namespace

Result<std::vector<const Value*>> match_inputs(const std::vector<ValueDescription>& descriptions,
                                               const Graph& graph, const std::vector<NamedValue>& given) {
  std::vector<const Value*> inputs(descriptions.size(), nullptr);
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
  Symbols symbols;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const GraphValue& expected = graph.value(graph.inputs[i]);
    if (inputs[i] == nullptr) {
      if (descriptions[i].has_default) continue;
      return fail(ErrorCode::kUsage, "input '{}' ({}) was not given", expected.name,
                  expected.type.to_string());
    }
    TENON_TRY(check_kind(expected, *inputs[i]));
    TENON_TRY(check_sizes(expected, *inputs[i], symbols));
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i] != nullptr) TENON_TRY(check_expressions(graph.value(graph.inputs[i]), *inputs[i], symbols));
  return inputs;
}

}  // namespace tenon
