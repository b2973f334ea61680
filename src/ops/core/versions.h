// How operators change over opset versions: upgrade turns a node of any version into canonical nodes, emit
// writes a canonical node at a given version. Passes, kernels and lowering never see a version number.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/model.h"
#include "ops/core/builder.h"
#include "ops/core/schema.h"

namespace tenon::ops {

/// One node of a file on its way to canonical nodes. The function calls finish (or alias) exactly once.
class UpgradeContext {
 public:
  UpgradeContext(GraphBuilder& builder, const Schema& schema, int opset, std::vector<ValueId> inputs,
                 std::vector<ValueId> outputs, Attributes attributes, Node shell)
      : builder_(builder),
        schema_(schema),
        opset_(opset),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        attributes_(std::move(attributes)),
        shell_(std::move(shell)) {}

  int opset() const { return opset_; }                         ///< Of the file, in the node's domain.
  int since_version() const { return schema_.since_version; }  ///< Of the schema in force.
  const Schema& schema() const { return schema_; }             ///< The schema in force.
  std::string_view name() const { return schema_.name; }       ///< Of the operator in the file.
  std::string_view domain() const { return schema_.domain; }
  GraphBuilder& builder() { return builder_; }
  size_t input_count() const { return inputs_.size(); }
  bool has_input(size_t i) const { return i < inputs_.size() && inputs_[i] != kNoValue; }
  ValueId input(size_t i) const { return i < inputs_.size() ? inputs_[i] : kNoValue; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  size_t output_count() const { return outputs_.size(); }
  bool has_output(size_t i) const { return i < outputs_.size() && outputs_[i] != kNoValue; }
  /// The attributes of the file, with the defaults of the version in force.
  const Attributes& attributes() const { return attributes_; }
  /// The bodies of control flow, by attribute name.
  const std::vector<std::pair<std::string, std::shared_ptr<Graph>>>& subgraphs() const {
    return shell_.subgraphs;
  }
  /// The constant behind an input, or null.
  const Tensor* constant(size_t i) const { return builder_.graph().constant(input(i)); }

  /// An intermediate value, or a constant, on the way.
  Result<ValueId> add(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return builder_.add(op, std::move(inputs), std::move(attributes));
  }
  /// The canonical node that makes the file node's outputs, under their names.
  Status finish(Op op, std::vector<ValueId> inputs, Attributes attributes);
  /// The same with other outputs than the file node's (kNoValue to drop one, builder values for new ones).
  Status finish(Op op, std::vector<ValueId> inputs, Attributes attributes, std::vector<ValueId> outputs);
  const std::vector<ValueId>& outputs() const { return outputs_; }

 private:
  GraphBuilder& builder_;
  const Schema& schema_;
  int opset_;
  std::vector<ValueId> inputs_, outputs_;
  Attributes attributes_;
  Node shell_;  // subgraphs, name and provenance of the file node
};

using Upgrade = Status (*)(UpgradeContext&);

/// One canonical node on its way to a file. The function calls finish exactly once, or returns unsupported().
class EmitContext {
 public:
  /// Collects what goes to the file; implemented by the emit driver.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual std::string value_name(ValueId id) = 0;
    virtual std::string fresh_name(std::string_view wish) = 0;
    virtual void add_initializer(std::string name, Tensor value) = 0;
    /// Checks the node against the schema in force (attributes, types as far as `types` knows them) and adds
    /// it.
    virtual Status add_node(const Node& origin, std::string_view op_type, std::vector<std::string> inputs,
                            std::vector<std::string> outputs, const Attributes& attributes) = 0;
    /// What is known of a name made by add (its element type), for the checks of later nodes.
    virtual void declare(const std::string& name, ValueType type) = 0;
  };
  EmitContext(const Graph& graph, const Node& node, int opset, Sink& sink)
      : graph_(graph), node_(node), opset_(opset), sink_(sink) {}

  int opset() const { return opset_; }
  const Node& node() const { return node_; }
  const Graph& graph() const { return graph_; }
  const Attributes& attributes() const { return node_.attributes; }
  const ValueType& input_type(size_t i) const;
  const ValueType& output_type(size_t i) const;
  const Tensor* constant(size_t i) const {
    return i < node_.inputs.size() ? graph_.constant(node_.inputs[i]) : nullptr;
  }
  bool has_input(size_t i) const { return node_.has_input(i); }
  bool has_output(size_t i) const { return node_.has_output(i); }

  /// The name of an input in the file; "" when omitted.
  std::string input(size_t i);
  std::vector<std::string> inputs();
  std::string output(size_t i);
  std::vector<std::string> outputs();
  /// A constant for the file only.
  std::string constant(Tensor value, std::string_view hint = "constant");
  /// An intermediate node with one output whose element type is `element` (input 0's when kUndefined).
  Result<std::string> add(std::string_view op_type, std::vector<std::string> inputs,
                          const Attributes& attributes = {}, DataType element = DataType::kUndefined);
  /// The node that makes the canonical node's outputs.
  Status finish(std::string_view op_type, std::vector<std::string> inputs, const Attributes& attributes = {});
  Status finish(std::string_view op_type, std::vector<std::string> inputs, const Attributes& attributes,
                std::vector<std::string> outputs);
  /// "Gelu needs opset 20 (asked for: 11): WHY", with a hint to raise the opset.
  Error unsupported(int needs_opset, std::string_view why = "") const;

 private:
  const Graph& graph_;
  const Node& node_;
  int opset_;
  Sink& sink_;
};

using Emit = Status (*)(EmitContext&);

/// Copies attributes and inputs as they are: right for every version whose meaning equals the newest one's.
Status upgrade_unchanged(UpgradeContext& context);
/// Writes the node as it is. Attributes that the version lacks are dropped when they equal the newest
/// default, else the error names the opset that has them; likewise input and output types.
Status emit_unchanged(EmitContext& context);

}  // namespace tenon::ops
