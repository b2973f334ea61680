#include "convert/ports.h"

#include <algorithm>
#include <set>

#include "base/near_names.h"
#include "ops/core/builder.h"

namespace tenon {

namespace {

using Replacements = std::map<std::string, SymInt>;

SymInt substituted(const SymInt& dimension, const Replacements& replacements) {
  return dimension.substitute([&](const std::string& symbol) -> std::optional<SymInt> {
    auto it = replacements.find(symbol);
    return it == replacements.end() ? std::nullopt : std::optional<SymInt>(it->second);
  });
}

/// The ranges of the dimensions that stay open, by what they become. One that stands for several has to be in
/// the ranges of all.
SizeRanges substituted_ranges(const TypedModel& model, const Replacements& replacements) {
  SizeRanges ranges;
  for (ValueId id : model.graph.inputs) {
    const auto& shape = model.graph.value(id).type.shape;
    for (const SymInt& dimension : shape.value_or(SymShape())) {
      const auto old = model.ranges.find(dimension.to_string());
      const SymInt renamed = substituted(dimension, replacements);
      if (old == model.ranges.end() || renamed.is_constant()) continue;
      const auto& [min, max] = old->second;
      SizeRange& range = ranges[renamed.to_string()];
      if (min) range.min = std::max(*min, range.min.value_or(*min));
      if (max) range.max = std::min(*max, range.max.value_or(*max));
    }
  }
  return ranges;
}

/// Puts other sizes in place of symbols, in what is declared, and infers the rest again.
Status replace_symbols(TypedModel& model, const Replacements& replacements) {
  model.ranges = substituted_ranges(model, replacements);
  for (size_t i = 0; i < model.graph.value_count(); ++i)
    if (auto& shape = model.graph.value(ValueId{static_cast<uint32_t>(i)}).type.shape)
      for (SymInt& dimension : *shape) dimension = substituted(dimension, replacements);
  return ops::infer_graph(model.graph);
}

/// The names of all open dimensions, each once.
std::vector<std::string> symbols_of(const TypedModel& model) {
  std::vector<std::string> symbols;
  for (size_t i = 0; i < model.graph.value_count(); ++i)
    if (const auto& shape = model.graph.value(ValueId{static_cast<uint32_t>(i)}).type.shape)
      for (const SymInt& dimension : *shape) dimension.collect_symbols(symbols);
  std::sort(symbols.begin(), symbols.end());
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  return symbols;
}

Result<ValueId> input_named(const TypedModel& model, const std::string& name) {
  ValueId id = model.graph.find(name);
  if (id != kNoValue && model.graph.is_input(id)) return id;
  std::vector<std::string> names;
  for (ValueId input : model.graph.inputs) names.push_back(model.graph.value(input).name);
  return with_hint(fail(ErrorCode::kUsage, "the model has no input called '{}'", name),
                   near_names_hint(name, names));
}

bool is_program(const TypedModel& model) {
  return model.origin.starts_with("torch.export");
}

std::string hint_for_fixed(const TypedModel& model, const OpenDimension& wish) {
  if (!is_program(model)) return "only the program that wrote the file can leave the dimension open";
  return fmt::format(
      "export it again with torch.export.export(model, args, dynamic_shapes={{'{}': {{{}: "
      "torch.export.Dim('{}')}}}})",
      wish.input, wish.axis, wish.name);
}

Status check_names(std::string_view what, const std::vector<std::string>& names, size_t count) {
  if (names.size() > count)
    return fail(ErrorCode::kUsage, "{} {} names are given and the model has {} {}{}", names.size(), what,
                count, what, count == 1 ? "" : "s");
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (name.empty()) return fail(ErrorCode::kUsage, "the name of an {} cannot be empty", what);
    if (!seen.insert(name).second) return fail(ErrorCode::kUsage, "two {}s would be called '{}'", what, name);
  }
  return {};
}

bool is_port_or_weight(const Graph& graph, ValueId id) {
  return graph.is_input(id) || graph.value(id).constant ||
         std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end();
}

/// Gives the value its name; an inner value that has it is renamed.
Status rename(Graph& graph, ValueId id, const std::string& name) {
  if (graph.value(id).name == name) return {};
  ValueId holder = graph.find(name);
  if (holder != kNoValue && is_port_or_weight(graph, holder))
    return fail(ErrorCode::kUsage, "the name '{}' is taken by another input, output or weight", name);
  if (holder != kNoValue) graph.rename(holder, graph.unique_name(name + "_inner"));
  graph.rename(id, name);
  return {};
}

/// Frees the names that ports give up, so that two ports may exchange theirs.
void set_aside(Graph& graph, const std::vector<ValueId>& ids, const std::vector<std::string>& names) {
  for (size_t i = 0; i < names.size(); ++i)
    if (graph.value(ids[i]).name != names[i]) graph.rename(ids[i], graph.unique_name("port"));
}

}  // namespace

Status name_ports(TypedModel& model, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs) {
  Graph& graph = model.graph;
  TENON_TRY(check_names("input", inputs, graph.inputs.size()));
  TENON_TRY(check_names("output", outputs, graph.outputs.size()));
  // An output that is an input, a weight or another output becomes a value of its own.
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ValueId id = graph.outputs[i];
    const bool repeated = std::count(graph.outputs.begin(), graph.outputs.end(), id) > 1;
    if (graph.value(id).name == outputs[i] || !(repeated || graph.is_input(id) || graph.value(id).constant))
      continue;
    ops::GraphBuilder builder(graph);
    graph.outputs[i] = TENON_TRY(builder.add(Op::kIdentity, {id}, {}, "output"));
  }
  set_aside(graph, graph.inputs, inputs);
  set_aside(graph, graph.outputs, outputs);
  for (size_t i = 0; i < inputs.size(); ++i) TENON_TRY(rename(graph, graph.inputs[i], inputs[i]));
  for (size_t i = 0; i < outputs.size(); ++i) TENON_TRY(rename(graph, graph.outputs[i], outputs[i]));
  return {};
}

Status name_dimensions(TypedModel& model, const std::map<std::string, std::string>& symbols,
                       const std::vector<OpenDimension>& open) {
  if (symbols.empty() && open.empty()) return {};
  const std::vector<std::string> known = symbols_of(model);
  Replacements replacements;
  for (const auto& [symbol, name] : symbols) {
    if (std::find(known.begin(), known.end(), symbol) == known.end())
      return with_hint(fail(ErrorCode::kUsage, "the model has no dimension called '{}'", symbol),
                       near_names_hint(symbol, known));
    replacements[symbol] = SymInt::symbol(name);
  }
  for (const OpenDimension& wish : open) {
    const ValueType& type = model.graph.value(TENON_TRY(input_named(model, wish.input))).type;
    if (!type.shape) return fail(ErrorCode::kUsage, "input '{}' has no shape in the model", wish.input);
    const auto rank = static_cast<int64_t>(type.shape->size());
    if (wish.axis < -rank || wish.axis >= rank)
      return fail(ErrorCode::kUsage, "input '{}' has {} dimensions, not a dimension {}", wish.input, rank,
                  wish.axis);
    const SymInt& size = (*type.shape)[static_cast<size_t>(wish.axis < 0 ? wish.axis + rank : wish.axis)];
    if (auto fixed = size.constant())
      return with_hint(
          fail(ErrorCode::kUsage, "dimension {} of input '{}' was fixed to {} when the {} was exported",
               wish.axis, wish.input, *fixed, is_program(model) ? "program" : "model"),
          hint_for_fixed(model, wish));
    if (auto symbol = size.symbol_name()) replacements[*symbol] = SymInt::symbol(wish.name);
  }
  return replace_symbols(model, replacements);
}

Status fix_input_shapes(TypedModel& model, const std::map<std::string, std::vector<int64_t>>& shapes) {
  if (shapes.empty()) return {};
  Replacements replacements;
  for (const auto& [name, shape] : shapes) {
    ValueType& type = model.graph.value(TENON_TRY(input_named(model, name))).type;
    if (type.shape && type.shape->size() != shape.size())
      return fail(ErrorCode::kUsage, "input '{}' is {}, which the shape {} does not fit", name,
                  type.to_string(), to_string(shape));
    for (size_t i = 0; type.shape && i < shape.size(); ++i) {
      const SymInt& dim = (*type.shape)[i];
      if (auto known = dim.constant(); known && *known != shape[i])
        return with_hint(
            fail(ErrorCode::kUsage, "dimension {} of input '{}' is {} in the model, not {}", i, name, *known,
                 shape[i]),
            "export the program again with torch.export and that shape, or with a dynamic dimension");
      if (const SizeRange range = allowed_sizes(dim, model.ranges); !range.holds(shape[i]))
        return with_hint(fail(ErrorCode::kUsage, "dimension {} of input '{}' ('{}') has to be {}, not {}", i,
                              name, dim.to_string(), range.to_string(), shape[i]),
                         "export the program again with torch.export and a wider torch.export.Dim");
      if (const auto form = LinearSize::of(dim)) {
        const auto size = form->solve(shape[i]);
        auto known = size ? replacements.try_emplace(form->symbol, *size).first : replacements.end();
        if (known == replacements.end() || !(known->second == *size))
          return fail(ErrorCode::kUsage, "dimension {} of input '{}' ('{}') cannot be {}{}", i, name,
                      dim.to_string(), shape[i],
                      size ? fmt::format(", since '{}' is {}", form->symbol, known->second.to_string()) : "");
      }
    }
    type.shape = to_sym(shape);
  }
  return replace_symbols(model, replacements);
}

}  // namespace tenon
