#include "ir/aten/program.h"

#include <fmt/format.h>

namespace tenon::aten {

namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

// One implementation for the reading and the replacing visit: A is Argument or const Argument.
template <class A, class Visit>
void visit_names(A& argument, const Visit& visit) {
  std::visit(
      Overloaded{
          [&](auto& value) {
            using T = std::remove_cvref_t<decltype(value)>;
            if constexpr (std::is_same_v<T, TensorRef> || std::is_same_v<T, SymIntRef> ||
                          std::is_same_v<T, SymFloatRef> || std::is_same_v<T, SymBoolRef> ||
                          std::is_same_v<T, CustomObject>) {
              visit(value.name);
            } else if constexpr (std::is_same_v<T, TensorList>) {
              for (auto& name : value.names)
                if (!name.empty()) visit(name);
            } else if constexpr (std::is_same_v<T, SymIntList> || std::is_same_v<T, SymFloatList> ||
                                 std::is_same_v<T, SymBoolList>) {
              for (auto& item : value)
                if (item.is_symbolic()) visit(item.name);
            } else if constexpr (std::is_same_v<T, std::vector<TensorList>>) {
              for (auto& list : value)
                for (auto& name : list.names)
                  if (!name.empty()) visit(name);
            } else if constexpr (std::is_same_v<T, Dictionary>) {
              for (auto& [key, item] : value) visit_names(item, visit);
            }
          },
      },
      argument.value);
}

// The part of `text` after the last `separator`, or all of it.
std::string_view after_last(std::string_view text, char separator) {
  size_t at = text.rfind(separator);
  return at == std::string_view::npos ? text : text.substr(at + 1);
}

// The path and type of the innermost module: the path may hold commas, the type ("a.b.C") does not. Nodes
// that PyTorch's own passes inserted have a placeholder instead of a module.
struct ModuleEntry {
  std::string_view path, type;
};
ModuleEntry innermost_module(const NodeOrigin& origin) {
  std::string_view entry = after_last(origin.nn_module_stack, ';');
  size_t first = entry.find(',');
  size_t last = entry.rfind(',');
  if (first == std::string_view::npos || first == last || entry.starts_with("_empty_nn_module_stack"))
    return {};
  return {entry.substr(first + 1, last - first - 1), entry.substr(last + 1)};
}

std::string_view trim(std::string_view text) {
  size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

void for_each_name(Argument& argument, const std::function<void(std::string&)>& visit) {
  visit_names(argument, visit);
}
void for_each_name(const Argument& argument, const std::function<void(const std::string&)>& visit) {
  visit_names(argument, visit);
}

std::string_view kind_name(const Argument& argument) {
  static constexpr std::string_view kNames[] = {"None",
                                                "tensor",
                                                "list of tensors",
                                                "bool",
                                                "integer",
                                                "float",
                                                "complex",
                                                "string",
                                                "list of bools",
                                                "list of integers",
                                                "list of floats",
                                                "list of strings",
                                                "symbolic integer",
                                                "symbolic float",
                                                "symbolic bool",
                                                "list of symbolic integers",
                                                "list of symbolic floats",
                                                "list of symbolic bools",
                                                "dtype",
                                                "memory format",
                                                "layout",
                                                "device",
                                                "graph",
                                                "custom object",
                                                "operator",
                                                "list of lists of tensors",
                                                "list of lists of integers",
                                                "list of lists of floats",
                                                "dictionary"};
  static_assert(std::size(kNames) == std::variant_size_v<Argument::Variant>);
  return kNames[argument.value.index()];
}

std::string source_line(const NodeOrigin& origin) {
  // '  File "model.py", line 12, in forward' and the line of code below it; the last of them is the
  // innermost.
  std::string_view trace = origin.stack_trace;
  size_t at = trace.rfind("File \"");
  if (at == std::string_view::npos) return {};
  std::string_view rest = trace.substr(at + 6);
  size_t quote = rest.find('"');
  if (quote == std::string_view::npos) return {};
  std::string_view file = rest.substr(0, quote);
  rest.remove_prefix(quote + 1);
  size_t newline = rest.find('\n');
  std::string_view place = rest.substr(0, newline);
  std::string_view code;
  if (newline != std::string_view::npos) {
    rest.remove_prefix(newline + 1);
    code = trim(rest.substr(0, rest.find('\n')));
  }
  constexpr std::string_view kLine = ", line ";
  if (place.substr(0, kLine.size()) == kLine) place.remove_prefix(kLine.size());
  std::string result = fmt::format("{}:{}", file, trim(place));
  if (!code.empty()) result += fmt::format(": {}", code);
  return result;
}

std::string module_path(const NodeOrigin& origin) {
  return std::string(innermost_module(origin).path);
}
std::string module_type(const NodeOrigin& origin) {
  return std::string(innermost_module(origin).type);
}

const Argument* Node::find_input(std::string_view argument_name) const {
  for (const NamedArgument& input : inputs)
    if (input.name == argument_name) return &input.value;
  return nullptr;
}

const TensorMeta* Graph::find_tensor(const std::string& name) const {
  auto it = tensors.find(name);
  return it == tensors.end() ? nullptr : &it->second;
}

const SymValue* Graph::find_symbol(const std::string& name) const {
  auto it = symbols.find(name);
  return it == symbols.end() ? nullptr : &it->second;
}

const Weight* Program::find_weight(const std::string& name) const {
  auto it = weights.find(name);
  return it == weights.end() ? nullptr : &it->second;
}

}  // namespace tenon::aten
