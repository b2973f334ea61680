#include "ir/printer.h"

#include <algorithm>
#include <complex>

#include "base/try.h"
#include "tensor/element.h"

namespace tenon {

namespace {

bool is_plain(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '/' || c == ':' || c == '-';
  });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + '"';
}

std::string shown_name(std::string_view name) {
  return is_plain(name) ? std::string(name) : quoted(name);
}

std::string element_text(const Tensor& tensor, int64_t i) {
  switch (compute_kind(tensor.type())) {
    case ComputeKind::kString:
      return quoted(tensor.strings()[static_cast<size_t>(i)]);
    case ComputeKind::kSigned:
      return fmt::format("{}", load_element<int64_t>(tensor, i));
    case ComputeKind::kUnsigned:
      if (tensor.type() == DataType::kBool) return load_element<uint64_t>(tensor, i) != 0 ? "true" : "false";
      return fmt::format("{}", load_element<uint64_t>(tensor, i));
    case ComputeKind::kComplex: {
      const auto value = load_element<std::complex<double>>(tensor, i);
      return fmt::format("{:.6g}{:+.6g}i", value.real(), value.imag());
    }
    case ComputeKind::kFloat:
      return fmt::format("{:.6g}", load_element<double>(tensor, i));
  }
  return "?";
}

template <class T>
std::string list_text(const std::vector<T>& items) {
  return fmt::format("[{}]", fmt::join(items, ", "));
}

struct AttributeText {
  int64_t elements_max;
  std::string operator()(int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(float value) const { return fmt::format("{:.6g}", value); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const std::vector<int64_t>& value) const { return list_text(value); }
  std::string operator()(const std::vector<float>& value) const { return list_text(value); }
  std::string operator()(const std::vector<std::string>& value) const {
    std::vector<std::string> items;
    for (const std::string& item : value) items.push_back(quoted(item));
    return list_text(items);
  }
  std::string operator()(const Tensor& value) const {
    return ValueType::of(value).to_string() + " " + print_elements(value, elements_max);
  }
  std::string operator()(const std::vector<Tensor>& value) const {
    return fmt::format("[{} tensors]", value.size());
  }
  std::string operator()(const ValueType& value) const { return value.to_string(); }
};

std::string bytes_text(size_t bytes) {
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  if (bytes < size_t{1} << 20) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

class Printer {
 public:
  explicit Printer(const PrintOptions& options) : options_(options) {}

  void print_graph(const Graph& graph, std::string_view title, int indent) {
    line(indent, fmt::format("{} {}({}) -> ({}) {{", title, graph.name.empty() ? "" : shown_name(graph.name),
                             typed_list(graph, graph.inputs), typed_list(graph, graph.outputs)));
    for (const Capture& capture : graph.captures)
      line(indent + 1, fmt::format("uses {}", typed(graph, capture.inner)));
    if (options_.constants) print_constants(graph, indent + 1);
    std::string module;
    for (const Node& node : graph.nodes) {
      if (options_.provenance && node.provenance && node.provenance->module_path != module) {
        module = node.provenance->module_path;
        if (!module.empty()) line(indent + 1, "# " + module);
      }
      print_node(graph, node, indent + 1);
    }
    line(indent, "}");
  }

  void line(int indent, std::string_view text) {
    text_.append(static_cast<size_t>(2 * indent), ' ');
    text_ += text;
    text_ += '\n';
  }

  std::string take() { return std::move(text_); }

 private:
  static std::string typed(const Graph& graph, ValueId id) {
    if (id == kNoValue) return "_";
    return fmt::format("{}: {}", shown_name(graph.value(id).name), graph.value(id).type.to_string());
  }

  static std::string typed_list(const Graph& graph, const std::vector<ValueId>& ids) {
    std::vector<std::string> items;
    for (ValueId id : ids) items.push_back(typed(graph, id));
    return fmt::format("{}", fmt::join(items, ", "));
  }

  bool is_small(const Tensor& tensor) const { return tensor.size() <= options_.elements_max; }

  std::string input(const Graph& graph, ValueId id) const {
    if (id == kNoValue) return "_";
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr || !is_small(*constant)) return shown_name(graph.value(id).name);
    const std::string elements =
        constant->rank() == 0 ? element_text(*constant, 0) : print_elements(*constant, options_.elements_max);
    return fmt::format("{}={}", shown_name(graph.value(id).name), elements);
  }

  void print_constants(const Graph& graph, int indent) {
    for (size_t i = 0; i < graph.value_count(); ++i) {
      const auto id = ValueId{static_cast<uint32_t>(i)};
      const Tensor* constant = graph.constant(id);
      if (constant == nullptr || is_small(*constant)) continue;
      line(indent, fmt::format("const {} = {}, {}", typed(graph, id), print_elements(*constant, 3),
                               bytes_text(constant->bytes())));
    }
  }

  void print_node(const Graph& graph, const Node& node, int indent) {
    std::vector<std::string> inputs;
    for (ValueId id : node.inputs) inputs.push_back(input(graph, id));
    std::string text = fmt::format("{} = {}({})", typed_list(graph, node.outputs), op_name(node.op),
                                   fmt::join(inputs, ", "));
    std::vector<std::string> attributes;
    for (const auto& [name, value] : node.attributes)
      attributes.push_back(
          fmt::format("{}={}", name, std::visit(AttributeText{options_.elements_max}, value)));
    if (!attributes.empty()) text += fmt::format(" {{{}}}", fmt::join(attributes, ", "));
    if (options_.provenance && node.provenance && !node.provenance->source_line.empty())
      text += "  // " + quoted(node.provenance->source_line);
    line(indent, text);
    for (const auto& [attribute, body] : node.subgraphs) print_graph(*body, attribute + ":", indent + 1);
  }

  const PrintOptions& options_;
  std::string text_;
};

}  // namespace

std::string print_elements(const Tensor& tensor, int64_t elements_max) {
  std::vector<std::string> items;
  for (int64_t i = 0; i < std::min(tensor.size(), elements_max); ++i)
    items.push_back(element_text(tensor, i));
  if (tensor.size() > elements_max) items.push_back(fmt::format("... {} in all", tensor.size()));
  return fmt::format("{{{}}}", fmt::join(items, ", "));
}

std::string print(const Graph& graph, const PrintOptions& options) {
  Printer printer(options);
  printer.print_graph(graph, "graph", 0);
  return printer.take();
}

std::string print(const TypedModel& model, const PrintOptions& options) {
  Printer printer(options);
  if (!model.origin.empty()) printer.line(0, "# " + model.origin);
  for (const auto& [key, value] : model.metadata)
    printer.line(0, fmt::format("# {}: {}", key, quoted(value)));
  for (const std::string& warning : model.warnings) printer.line(0, "# warning: " + warning);
  printer.print_graph(model.graph, "graph", 0);
  return printer.take();
}

}  // namespace tenon
