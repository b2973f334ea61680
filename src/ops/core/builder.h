// GraphBuilder: adds canonical nodes to a graph. Fills in attribute defaults, checks the node against its
// schema and infers its types at once, so that whoever builds can look at the types of what was built.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/try.h"
#include "ir/graph.h"
#include "ops/core/infer.h"
#include "ops/core/schema.h"

namespace tenon::ops {

class GraphBuilder {
 public:
  explicit GraphBuilder(Graph& graph) : graph_(graph) {}

  Graph& graph() { return graph_; }
  const ValueType& type(ValueId id) const { return graph_.value(id).type; }
  DataType element(ValueId id) const { return type(id).element; }
  /// The symbolic shape, or null when the rank is not known.
  const SymShape* shape(ValueId id) const { return type(id).shape ? &*type(id).shape : nullptr; }

  /// What nodes added from now on carry as provenance, and the name that they and their values derive from.
  void set_origin(std::string name, std::shared_ptr<const Provenance> provenance);
  const std::string& origin_name() const { return origin_name_; }

  /// A node with one output, named `output_name` (made unique; derived from the origin when empty).
  Result<ValueId> add(Op op, std::vector<ValueId> inputs, Attributes attributes = {},
                      std::string_view output_name = "");
  /// A node with as many outputs as names; an empty name is an output nobody wants when `skip_empty`.
  Result<std::vector<ValueId>> add_node(Op op, std::vector<ValueId> inputs, Attributes attributes,
                                        std::vector<std::string> output_names, bool skip_empty = false);
  /// The general form: takes a complete node whose output values exist already (types are set by inference).
  Status add_node(Node node);

  /// A constant. Named after the origin when `name` is empty.
  ValueId constant(Tensor tensor, std::string_view name = "");
  ValueId constant_ints(const std::vector<int64_t>& values) { return constant(Tensor::from_ints(values)); }
  /// A scalar of the given element type (float, integer or bool).
  ValueId constant_scalar(DataType type, double value);

 private:
  Graph& graph_;
  std::string origin_name_;
  std::shared_ptr<const Provenance> provenance_;
};

/// Checks attributes against a schema (names and kinds) and fills in the defaults that are missing.
Status complete_attributes(const Schema& schema, Attributes& attributes);

/// Infers all nodes of a graph in order from the types of its inputs, overwriting what was known. Declared
/// types of values that a rule cannot tell are kept.
Status infer_graph(Graph& graph);
/// Infers one node of the graph, subgraphs included, and writes the facts to its output values.
Status infer_node(Graph& graph, const Node& node);

/// Inference over a graph that is not to be changed, with other facts for its inputs (constant shapes at run
/// time). Returns facts for every value, indexed by ValueId.
Result<std::vector<ValueFacts>> infer_with(const Graph& graph, const std::vector<ValueFacts>& inputs,
                                           const std::vector<ValueFacts>& captures = {});

}  // namespace tenon::ops
