// Prints what tenon reads from a .pt2 file as JSON, for tests/pt2 to compare with PyTorch.
//   pt2_json FILE [functional]
#include <zlib.h>

#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "formats/torch/pt2/reader.h"
#include "lower/functionalise.h"

namespace {

using namespace tenon;
using Json = nlohmann::json;

Json to_json(const aten::Graph& graph);
Json to_json(const aten::Argument& argument);

Json tagged(const char* tag, Json value) {
  return Json::array({tag, std::move(value)});
}

Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

Json names(const aten::TensorList& list) {
  Json out = Json::array();
  for (const std::string& name : list.names) out.push_back(name.empty() ? Json() : Json(name));
  return out;
}

template <class T>
Json items(const std::vector<aten::SymItem<T>>& list) {
  Json out = Json::array();
  for (const auto& item : list) out.push_back(item.is_symbolic() ? Json(item.name) : Json(item.value));
  return out;
}

struct Writer {
  Json operator()(const aten::None&) const { return tagged("none", nullptr); }
  Json operator()(const aten::TensorRef& ref) const { return tagged("value", ref.name); }
  Json operator()(const aten::SymIntRef& ref) const { return tagged("value", ref.name); }
  Json operator()(const aten::SymFloatRef& ref) const { return tagged("value", ref.name); }
  Json operator()(const aten::SymBoolRef& ref) const { return tagged("value", ref.name); }
  Json operator()(const aten::TensorList& list) const { return tagged("values", names(list)); }
  Json operator()(const aten::SymIntList& list) const { return tagged("symbols", items(list)); }
  Json operator()(const aten::SymFloatList& list) const { return tagged("symbols", items(list)); }
  Json operator()(const aten::SymBoolList& list) const { return tagged("symbols", items(list)); }
  Json operator()(double value) const { return tagged("float", number(value)); }
  Json operator()(const std::complex<double>& value) const {
    return tagged("complex", {number(value.real()), number(value.imag())});
  }
  Json operator()(const std::vector<double>& values) const {
    Json out = Json::array();
    for (double value : values) out.push_back(number(value));
    return tagged("floats", out);
  }
  Json operator()(DataType type) const { return tagged("dtype", std::string(data_type_name(type))); }
  Json operator()(aten::MemoryFormat format) const {
    return tagged("memory_format", static_cast<int>(format));
  }
  Json operator()(aten::Layout layout) const { return tagged("layout", static_cast<int>(layout)); }
  Json operator()(const aten::Device& device) const { return tagged("device", device.type); }
  Json operator()(const aten::GraphRef& ref) const { return tagged("graph", to_json(*ref.graph)); }
  Json operator()(const aten::CustomObject& object) const { return tagged("object", object.name); }
  Json operator()(const aten::OperatorRef& ref) const { return tagged("operator", ref.target); }
  Json operator()(const std::vector<aten::TensorList>& lists) const {
    Json out = Json::array();
    for (const auto& list : lists) out.push_back(names(list));
    return tagged("nested", out);
  }
  Json operator()(const std::vector<std::vector<double>>& lists) const {
    Json out = Json::array();
    for (const auto& list : lists) out.push_back((*this)(list)[1]);
    return tagged("plain", out);
  }
  Json operator()(const aten::Dictionary& dictionary) const {
    Json out = Json::object();
    for (const auto& [key, value] : dictionary) out[key] = to_json(value);
    return tagged("dictionary", out);
  }
  template <class T>
  Json operator()(const T& value) const {
    return tagged("plain", value);
  }
};

Json to_json(const aten::Argument& argument) {
  return std::visit(Writer{}, argument.value);
}

template <class List>
Json list_json(const List& list) {
  Json out = Json::array();
  for (const auto& argument : list) out.push_back(to_json(argument));
  return out;
}

Json to_json(const aten::Graph& graph) {
  Json out{
      {"inputs", list_json(graph.inputs)}, {"outputs", list_json(graph.outputs)}, {"nodes", Json::array()}};
  for (const aten::Node& node : graph.nodes) {
    Json inputs = Json::array();
    for (const auto& input : node.inputs) inputs.push_back({input.name, to_json(input.value), input.keyword});
    out["nodes"].push_back({{"name", node.name},
                            {"target", node.target},
                            {"inputs", std::move(inputs)},
                            {"outputs", list_json(node.outputs)},
                            {"module", aten::module_path(node.origin)},
                            {"source", aten::source_line(node.origin)}});
  }
  for (const auto& [name, meta] : graph.tensors)
    out["tensors"][name] = {std::string(data_type_name(meta.type)), to_string(meta.sizes)};
  for (const auto& [name, symbol] : graph.symbols) out["symbols"][name] = aten::to_string(symbol.expr);
  return out;
}

Json tensor_json(const Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(tensor.raw()), tensor.bytes());
  return {{"dtype", std::string(data_type_name(tensor.type()))}, {"shape", tensor.shape()}, {"crc32", crc}};
}

Json to_json(const aten::Program& program) {
  Json out{{"graph", to_json(program.graph)},
           {"torch_version", program.torch_version},
           {"is_aten", program.dialect == aten::Dialect::kAten},
           {"input_paths", aten::leaf_paths(program.input_tree)},
           {"output_paths", aten::leaf_paths(program.output_tree)}};
  for (const auto& spec : program.input_specs)
    out["input_specs"].push_back({static_cast<int>(spec.kind), spec.name, spec.target, spec.persistent});
  for (const auto& spec : program.output_specs)
    out["output_specs"].push_back({static_cast<int>(spec.kind), spec.name, spec.target});
  for (const auto& [name, weight] : program.weights) {
    out["weights"][name] = tensor_json(weight.tensor);
    out["weights"][name]["shared_with"] = weight.shared_with;
    out["weights"][name]["is_parameter"] = weight.is_parameter;
  }
  for (const auto& [name, range] : program.ranges)
    out["ranges"][name] = {range.min ? Json(*range.min) : Json(), range.max ? Json(*range.max) : Json()};
  for (const Value& value : program.sample_inputs)
    out["sample_inputs"].push_back(tensor_json(value.tensor()));
  return out;
}

int report(const Error& error) {
  std::printf("%s\n", Json{{"error", error.to_string()}}.dump().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  auto program = read_pt2_file(argv[1]);
  if (!program.ok()) return report(program.error());
  if (argc < 3 || std::strcmp(argv[2], "functional") != 0) {
    std::printf("%s\n", to_json(*program).dump().c_str());
    return 0;
  }
  auto functional = aten::functionalise(std::move(*program));
  if (!functional.ok()) return report(functional.error());
  Json out = to_json(functional->program());
  out["warnings"] = functional->warnings();
  std::printf("%s\n", out.dump().c_str());
  return 0;
}
