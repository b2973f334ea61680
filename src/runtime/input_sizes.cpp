#include "runtime/input_sizes.h"

#include <algorithm>

#include "runtime/session_state.h"

namespace tenon {

namespace {

/// Calls visit(dimension, form, axis) for every dimension of an input that has one symbol.
template <class Visit>
void each_open_dimension(const TypedModel& model, Visit visit) {
  for (ValueId id : model.graph.inputs) {
    const ValueType& type = model.graph.value(id).type;
    if (!type.shape) continue;
    for (size_t d = 0; d < type.shape->size(); ++d)
      if (auto form = LinearSize::of((*type.shape)[d])) visit((*type.shape)[d], *form, d);
  }
}

/// The least value of the symbol that gives the dimension at least `size`.
int64_t least_symbol(const LinearSize& form, int64_t size) {
  int64_t rest = 0;
  if (form.factor < 0 || __builtin_sub_overflow(size, form.offset, &rest) || rest <= 0) return 0;
  return rest / form.factor + (rest % form.factor != 0 ? 1 : 0);
}

}  // namespace

std::optional<int64_t> SymbolSizes::find(const std::string& symbol) const {
  const auto known = sizes_.find(symbol);
  return known == sizes_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<int64_t> SymbolSizes::evaluate(const SymInt& dimension) const {
  return dimension.evaluate([this](const std::string& symbol) { return find(symbol); });
}

bool SymbolSizes::learn(const LinearSize& form, int64_t size) {
  if (sizes_.contains(form.symbol)) return true;
  const auto value = form.solve(size);
  if (value) sizes_[form.symbol] = *value;
  return value.has_value();
}

SymbolSizes example_sizes(const TypedModel& model, int64_t batch) {
  SymbolSizes sizes;
  for (bool plain : {true, false}) {
    each_open_dimension(model, [&](const SymInt& dimension, const LinearSize& form, size_t d) {
      if (batch > 0 && d == 0 && dimension.symbol_name().has_value() == plain) sizes.learn(form, batch);
    });
  }
  std::unordered_map<std::string, int64_t> least;
  each_open_dimension(model, [&](const SymInt& dimension, const LinearSize& form, size_t) {
    const int64_t size = std::max<int64_t>(allowed_sizes(dimension, model.ranges).min.value_or(1), 1);
    int64_t& value = least.try_emplace(form.symbol, 1).first->second;
    value = std::max(value, least_symbol(form, size));
  });
  for (const auto& [symbol, value] : least) sizes.learn({symbol, 1, 0}, value);
  return sizes;
}

std::vector<ValueDescription> describe_inputs(const TypedModel& model) {
  const SymbolSizes examples = example_sizes(model);
  std::vector<ValueDescription> inputs;
  for (ValueId id : model.graph.inputs) {
    ValueDescription& input = inputs.emplace_back(describe(model.graph, id));
    if (!input.shape) continue;
    const SymShape& shape = *model.graph.value(id).type.shape;
    for (size_t d = 0; d < shape.size(); ++d) {
      Dimension& dimension = (*input.shape)[d];
      const SizeRange range = allowed_sizes(shape[d], model.ranges);
      dimension.min = range.min;
      dimension.max = range.max;
      dimension.example = examples.evaluate(shape[d]).value_or(1);
    }
  }
  return inputs;
}

}  // namespace tenon
