// TypedModel: a model of canonical operators (the newest opset) in single assignment, with types and symbolic
// shapes on every value. Upgrade and lowering make it, passes transform it, emit writes it out, the engine
// compiles it. Nodes and values are named by dense ids that stay valid while a graph grows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/attributes.h"
#include "ir/op.h"
#include "ir/value_type.h"
#include "tenon/tensor.h"
#include "tensor/size_range.h"

namespace tenon {

enum class ValueId : uint32_t {};
inline constexpr ValueId kNoValue{UINT32_MAX};
inline constexpr size_t index(ValueId id) {
  return static_cast<size_t>(id);
}

class Graph;

/// A value of a graph: made by one node, or an input, or a constant, or captured from the enclosing graph.
struct GraphValue {
  std::string name;  ///< Unique in its graph, never empty.
  ValueType type;
  /// The elements, when the value is an initializer or was folded. Then no node makes it.
  std::optional<Tensor> constant;
  /// Elements of a small integer tensor as far as they are known, for shape arithmetic.
  std::optional<std::vector<SymInt>> elements;
};

/// Where a node came from; empty fields are not known. Shown in reports, written to metadata_props.
struct Provenance {
  std::string source_line;  ///< "model.py:42 in forward: x = self.conv(x)"
  std::string module_path;  ///< "layer1.0.conv1"
  std::string target;       ///< What the node was in the source: "aten.conv2d.default", "Conv-11"
};

struct Node {
  Op op{};
  std::string name;
  std::vector<ValueId> inputs;   ///< kNoValue: omitted optional input.
  std::vector<ValueId> outputs;  ///< kNoValue: output nobody wants.
  Attributes attributes;
  /// Bodies of control flow by attribute name ("then_branch", "body"). Shared, copied on change.
  std::vector<std::pair<std::string, std::shared_ptr<Graph>>> subgraphs;
  std::shared_ptr<const Provenance> provenance;

  const Graph* subgraph(std::string_view attribute) const;
  bool has_input(size_t i) const { return i < inputs.size() && inputs[i] != kNoValue; }
  bool has_output(size_t i) const { return i < outputs.size() && outputs[i] != kNoValue; }
};

/// A value of the enclosing graph that a subgraph uses. Inside the subgraph it is a value of its own.
struct Capture {
  ValueId outer;
  ValueId inner;
};

class Graph {
 public:
  std::string name;
  std::vector<ValueId> inputs;    ///< In order. May hold a `constant`: then it is the default of the input.
  std::vector<ValueId> outputs;   ///< In order; the same value may stand twice, or be an input or a constant.
  std::vector<Capture> captures;  ///< Empty for the main graph.
  std::vector<Node> nodes;        ///< In an order in which they can run.

  /// A new value. An empty or taken name gets a suffix, so that names stay unique.
  ValueId add_value(std::string_view value_name, ValueType type = {});
  ValueId add_constant(std::string_view value_name, Tensor tensor);
  ValueId add_input(std::string_view value_name, ValueType type);

  GraphValue& value(ValueId id) { return values_[index(id)]; }
  const GraphValue& value(ValueId id) const { return values_[index(id)]; }
  size_t value_count() const { return values_.size(); }
  /// The value of that name, or kNoValue.
  ValueId find(std::string_view value_name) const;
  /// Renames; the name must be free.
  void rename(ValueId id, std::string_view value_name);
  /// A name that no value has, made from `wish`.
  std::string unique_name(std::string_view wish) const;
  /// The constant behind a value, or null (also for kNoValue and for inputs with a default).
  const Tensor* constant(ValueId id) const;
  bool is_input(ValueId id) const;

  /// Where each value comes from and goes to, computed afresh; captured uses inside subgraphs count as uses
  /// by the node that holds the subgraph. Valid until the graph changes.
  struct Uses {
    std::vector<int32_t> producer;            ///< Node index for each value, -1 when none.
    std::vector<std::vector<int32_t>> users;  ///< Node indices for each value, ascending, each once.
    std::vector<bool> is_output;
  };
  Uses uses() const;

 private:
  std::vector<GraphValue> values_;
  // Hash of a name to the values that have it: the names themselves live in values_ only.
  std::unordered_multimap<uint64_t, uint32_t> names_;
};

/// A model ready for passes, for the engine, and for emit.
struct TypedModel {
  std::string name;
  Graph graph;
  /// metadata_props and doc_string carried over from the file.
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string doc_string;
  /// Things a user should know that did not stop the conversion, each one sentence.
  std::vector<std::string> warnings;
  /// What the model was: "onnx opset 17", "torch.export 2.13.0".
  std::string origin;
  /// What sizes the open dimensions of its inputs may have; one without an entry, any.
  SizeRanges ranges;
};

}  // namespace tenon
