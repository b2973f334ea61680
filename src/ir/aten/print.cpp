// The text form of programs, for people and for tests.
#include <fmt/format.h>

#include <algorithm>

#include "ir/aten/program.h"
#include "tenon/error.h"

namespace tenon::aten {

namespace {

std::string number(double value) {
  return fmt::format("{}", value);
}
std::string boolean(bool value) {
  return value ? "True" : "False";
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + "\"";
}

template <class List, class Item>
std::string list(const List& values, const Item& item) {
  std::string out = "[";
  bool first = true;
  for (const auto& value : values) {
    if (!first) out += ", ";
    first = false;
    out += item(value);
  }
  return out + "]";
}

std::string tensor_list(const TensorList& tensors) {
  return list(tensors.names, [](const std::string& name) { return name.empty() ? "None" : name; });
}

std::string_view name_of(MemoryFormat format) {
  constexpr std::string_view kNames[] = {"unknown_format", "contiguous_format", "channels_last",
                                         "channels_last_3d", "preserve_format"};
  return kNames[static_cast<size_t>(format)];
}

std::string_view name_of(Layout layout) {
  constexpr std::string_view kNames[] = {"unknown",    "sparse_coo", "sparse_csr", "sparse_csc",
                                         "sparse_bsr", "sparse_bsc", "mkldnn",     "strided"};
  return kNames[static_cast<size_t>(layout)];
}

struct Printer {
  std::string operator()(const None&) const { return "None"; }
  std::string operator()(const TensorRef& ref) const { return ref.name; }
  std::string operator()(const TensorList& tensors) const { return tensor_list(tensors); }
  std::string operator()(bool value) const { return boolean(value); }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return number(value); }
  std::string operator()(const std::complex<double>& value) const {
    return fmt::format("({}, {}j)", value.real(), value.imag());
  }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const std::vector<bool>& values) const { return list(values, boolean); }
  std::string operator()(const std::vector<int64_t>& values) const {
    return list(values, [](int64_t value) { return std::to_string(value); });
  }
  std::string operator()(const std::vector<double>& values) const { return list(values, number); }
  std::string operator()(const std::vector<std::string>& values) const { return list(values, quoted); }
  std::string operator()(const SymIntRef& ref) const { return ref.name; }
  std::string operator()(const SymFloatRef& ref) const { return ref.name; }
  std::string operator()(const SymBoolRef& ref) const { return ref.name; }
  std::string operator()(const SymIntList& items) const {
    return list(items,
                [](const auto& item) { return item.is_symbolic() ? item.name : std::to_string(item.value); });
  }
  std::string operator()(const SymFloatList& items) const {
    return list(items, [](const auto& item) { return item.is_symbolic() ? item.name : number(item.value); });
  }
  std::string operator()(const SymBoolList& items) const {
    return list(items, [](const auto& item) { return item.is_symbolic() ? item.name : boolean(item.value); });
  }
  std::string operator()(DataType type) const { return std::string(data_type_name(type)); }
  std::string operator()(MemoryFormat format) const { return std::string(name_of(format)); }
  std::string operator()(Layout layout) const { return std::string(name_of(layout)); }
  std::string operator()(const Device& device) const {
    return device.index ? fmt::format("{}:{}", device.type, *device.index) : device.type;
  }
  std::string operator()(const GraphRef& ref) const { return "@" + ref.name; }
  std::string operator()(const CustomObject& object) const { return object.name; }
  std::string operator()(const OperatorRef& ref) const { return ref.target; }
  std::string operator()(const std::vector<TensorList>& lists) const { return list(lists, tensor_list); }
  std::string operator()(const std::vector<std::vector<int64_t>>& lists) const {
    return list(lists, [this](const auto& values) { return (*this)(values); });
  }
  std::string operator()(const std::vector<std::vector<double>>& lists) const {
    return list(lists, [this](const auto& values) { return (*this)(values); });
  }
  std::string operator()(const Dictionary& dictionary) const {
    std::string out;
    for (const auto& [key, value] : dictionary)
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", quoted(key), std::visit(*this, value.value));
    return "{" + out + "}";
  }
};

std::string typed(const Graph& graph, const std::string& name) {
  if (const TensorMeta* meta = graph.find_tensor(name))
    return fmt::format("{}: {}{}", name, data_type_name(meta->type), tenon::to_string(meta->sizes));
  if (const SymValue* symbol = graph.find_symbol(name))
    return fmt::format("{}: {}", name, to_string(symbol->expr));
  return name;
}

// The values that an argument makes, each with its type; a plain constant as it is.
std::string definition(const Graph& graph, const Argument& argument) {
  if (const auto* tensors = argument.get<TensorList>())
    return list(tensors->names, [&](const std::string& name) { return typed(graph, name); });
  std::string out;
  for_each_name(argument,
                [&](const std::string& name) { out += (out.empty() ? "" : ", ") + typed(graph, name); });
  return out.empty() ? to_string(argument) : out;
}

void print_node(const Graph& graph, const Node& node, const std::string& indent, std::string& out);

void print_body(const Graph& graph, const std::string& indent, std::string& out) {
  for (const Node& node : graph.nodes) print_node(graph, node, indent, out);
  out += indent + "return " + list(graph.outputs, [](const Argument& output) { return to_string(output); }) +
         "\n";
}

void print_node(const Graph& graph, const Node& node, const std::string& indent, std::string& out) {
  std::string results, arguments;
  for (const Argument& output : node.outputs)
    results += (results.empty() ? "" : ", ") + definition(graph, output);
  for (const NamedArgument& input : node.inputs) {
    if (!arguments.empty()) arguments += ", ";
    if (!input.name.empty()) arguments += input.name + "=";
    arguments += to_string(input.value);
  }
  out += fmt::format("{}{}{}{}({})", indent, results, results.empty() ? "" : " = ", node.target, arguments);
  if (std::string path = module_path(node.origin); !path.empty()) out += "  # " + path;
  out += "\n";
  for (const NamedArgument& input : node.inputs) {
    const auto* ref = input.value.get<GraphRef>();
    if (ref == nullptr) continue;
    out += fmt::format("{}  @{}(", indent, ref->name);
    for (size_t i = 0; i < ref->graph->inputs.size(); ++i)
      out += (i ? ", " : "") + definition(*ref->graph, ref->graph->inputs[i]);
    out += "):\n";
    print_body(*ref->graph, indent + "    ", out);
  }
}

std::string_view kind_name(InputSpec::Kind kind) {
  switch (kind) {
    case InputSpec::Kind::kUserInput:
      return "input";
    case InputSpec::Kind::kParameter:
      return "parameter";
    case InputSpec::Kind::kBuffer:
      return "buffer";
    case InputSpec::Kind::kTensorConstant:
      return "constant";
    case InputSpec::Kind::kConstantInput:
      return "fixed input";
    case InputSpec::Kind::kCustomObject:
      return "object";
    case InputSpec::Kind::kToken:
      return "token";
  }
  return "";
}

std::string_view kind_name(OutputSpec::Kind kind) {
  switch (kind) {
    case OutputSpec::Kind::kUserOutput:
      return "output";
    case OutputSpec::Kind::kLoss:
      return "loss";
    case OutputSpec::Kind::kBufferMutation:
      return "new value of buffer";
    case OutputSpec::Kind::kParameterMutation:
      return "new value of parameter";
    case OutputSpec::Kind::kUserInputMutation:
      return "new value of input";
    case OutputSpec::Kind::kGradient:
      return "gradient";
    case OutputSpec::Kind::kToken:
      return "token";
  }
  return "";
}

}  // namespace

std::string to_string(const Argument& argument) {
  return std::visit(Printer{}, argument.value);
}

std::string to_string(const Node& node) {
  std::string out;
  print_node(Graph{}, node, "", out);
  return out;
}

std::string to_string(const Graph& graph) {
  std::string out;
  print_body(graph, "", out);
  return out;
}

std::string to_string(const Program& program) {
  std::string out;
  const Graph& graph = program.graph;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const InputSpec& spec = program.input_specs[i];
    out += fmt::format("{} {}", kind_name(spec.kind), definition(graph, graph.inputs[i]));
    if (spec.kind == InputSpec::Kind::kConstantInput) out += " = " + spec.name;
    if (!spec.target.empty()) out += " = " + quoted(spec.target);
    const Weight* weight = program.find_weight(spec.target);
    if (weight != nullptr && !weight->shared_with.empty())
      out += " shared with " + quoted(weight->shared_with);
    if (!spec.persistent) out += " (not persistent)";
    out += "\n";
  }
  for (const auto& [symbol, range] : program.ranges)
    out += fmt::format("range {} {}..{}\n", symbol, range.min ? std::to_string(*range.min) : "",
                       range.max ? std::to_string(*range.max) : "");
  print_body(graph, "", out);
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const OutputSpec& spec = program.output_specs[i];
    out += fmt::format("{} {}", kind_name(spec.kind), definition(graph, graph.outputs[i]));
    if (!spec.target.empty()) out += " -> " + quoted(spec.target);
    out += "\n";
  }
  return out;
}

}  // namespace tenon::aten
