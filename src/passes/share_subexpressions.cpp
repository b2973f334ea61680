#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "ops/core/registry.h"
#include "passes/pass.h"

namespace tenon::passes {

namespace {

constexpr size_t kMaxTensorBytes = 4096;  // larger tensor attributes are not compared

template <class T>
void append_bytes(std::string& key, const T& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void append_text(std::string& key, std::string_view text) {
  append_bytes(key, text.size());
  key.append(text);
}

/// Appends a text that is the same for equal attributes only; false when the attribute is not comparable.
struct AppendAttribute {
  std::string& key;

  bool operator()(int64_t value) const { return append_bytes(key, value), true; }
  bool operator()(float value) const { return append_bytes(key, value), true; }
  bool operator()(const std::string& value) const { return append_text(key, value), true; }
  bool operator()(const std::vector<std::string>& values) const {
    append_bytes(key, values.size());
    for (const std::string& value : values) append_text(key, value);
    return true;
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  bool operator()(const std::vector<T>& values) const {
    append_bytes(key, values.size());
    for (T value : values) append_bytes(key, value);
    return true;
  }
  bool operator()(const Tensor& tensor) const {
    if (tensor.is_string() || tensor.bytes() > kMaxTensorBytes) return false;
    append_bytes(key, tensor.type());
    (*this)(std::vector<int64_t>(tensor.shape()));
    key.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
    return true;
  }
  bool operator()(const std::vector<Tensor>&) const { return false; }
  bool operator()(const ValueType& type) const { return append_text(key, type.to_string()), true; }
};

/// What the node computes, as text; empty when it cannot be shared.
std::string key_of(const Node& node, const std::vector<ValueId>& inputs) {
  const ops::Traits& traits = ops::op_def(node.op).traits;
  if (!traits.deterministic || traits.control_flow || !node.subgraphs.empty()) return "";
  std::string key;
  append_bytes(key, node.op);
  append_bytes(key, inputs.size());
  for (ValueId id : inputs) append_bytes(key, id);
  append_bytes(key, node.outputs.size());
  std::vector<std::pair<std::string_view, const AttributeValue*>> attributes;
  for (const auto& [name, value] : node.attributes) attributes.emplace_back(name, &value);
  std::sort(attributes.begin(), attributes.end());
  for (const auto& [name, value] : attributes) {
    append_text(key, name);
    append_bytes(key, value->index());
    if (!std::visit(AppendAttribute{key}, *value)) return "";
  }
  return key;
}

}  // namespace

Result<GraphPatch> share_common_subexpressions(const Graph& graph, const PassContext&) {
  GraphPatch patch(graph);
  std::unordered_map<std::string, size_t> known;
  std::unordered_map<ValueId, ValueId> shared;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    std::vector<ValueId> inputs = node.inputs;
    for (ValueId& id : inputs)
      if (auto other = shared.find(id); other != shared.end()) id = other->second;
    std::string key = key_of(node, inputs);
    if (key.empty()) continue;
    auto [first, is_new] = known.try_emplace(std::move(key), n);
    if (is_new) continue;
    const Node& twin = graph.nodes[first->second];
    bool possible = true;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      ValueId id = node.outputs[i];
      if (id == kNoValue) continue;
      // An output of the graph keeps the node that makes it.
      bool is_output = std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end();
      possible &= !is_output && twin.outputs[i] != kNoValue;
    }
    if (!possible) continue;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      shared[node.outputs[i]] = twin.outputs[i];
      patch.replace(node.outputs[i], twin.outputs[i]);
    }
    patch.remove(n);
  }
  return patch;
}

}  // namespace tenon::passes
