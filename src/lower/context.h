// What a handler sees: one ATen node, the values of its arguments, and a builder for canonical nodes.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/aten/program.h"
#include "lower/aten/argument_reader.h"
#include "ops/core/builder.h"
#include "tenon/progress.h"

namespace tenon::lower {

class LowerContext;

/// Turns one ATen node into canonical nodes and calls LowerContext::finish exactly once.
using HandlerFunction = Status (*)(LowerContext&);

struct Handler {
  std::string_view
      target;  ///< "aten.conv2d.default", or "aten.relu" for every overload without a row of its own.
  HandlerFunction lower;
};

/// Where the canonical nodes of an ATen node say that they come from.
std::shared_ptr<const Provenance> provenance_of(const aten::Node& node);

/// The handler of a target, or null.
HandlerFunction find_handler(std::string_view target);

/// One graph under construction and the meaning of the program's names in it. A subgraph of a control-flow
/// operator is a Lowering with a parent.
class Lowering {
 public:
  Lowering(Graph& graph, Lowering* parent) : builder_(graph), parent_(parent) {}

  ops::GraphBuilder& builder() { return builder_; }
  Graph& graph() { return builder_.graph(); }
  Lowering* parent() { return parent_; }

  /// Tensors and symbolic scalars (int64, double or bool tensors of rank 0) by the program's name.
  void bind(const std::string& name, ValueId id) { values_[name] = id; }
  Result<ValueId> value(const std::string& name) const;
  bool has(const std::string& name) const { return values_.contains(name); }
  /// What the program says of its symbols; a subgraph asks its parent.
  void set_ranges(const SizeRanges* ranges) { ranges_ = ranges; }
  /// True when the size is at least 1 whatever its symbols are, as far as their ranges tell.
  bool is_positive(const SymInt& size) const;
  /// A value of the parent's graph for use in this one.
  ValueId capture(ValueId outer);

  /// Lowers every node of `source`, whose inputs are bound already. `progress` is told of each.
  Status run(const aten::Graph& source, const ProgressFunction& progress = {});
  /// The value that an argument of a graph output stands for; constants are made on the spot.
  Result<ValueId> output_value(const aten::Argument& argument);

 private:
  ops::GraphBuilder builder_;
  Lowering* parent_;
  const SizeRanges* ranges_ = nullptr;
  std::unordered_map<std::string, ValueId> values_;
};

class LowerContext {
 public:
  LowerContext(Lowering& lowering, const aten::Graph& source, const aten::Node& node);

  const aten::Node& node() const { return node_; }
  const aten::Graph& source() const { return source_; }
  const aten::ArgumentReader& args() const { return args_; }
  Lowering& lowering() { return lowering_; }
  ops::GraphBuilder& builder() { return lowering_.builder(); }

  /// Argument values by schema name. optional_tensor gives kNoValue for None.
  Result<ValueId> tensor(std::string_view name);
  Result<ValueId> optional_tensor(std::string_view name);
  Result<std::vector<ValueId>> tensors(std::string_view name);  ///< kNoValue for None elements.
  /// A one-dimensional int64 value from a list of integers that may be symbolic; constant when none is.
  Result<ValueId> int_vector(std::string_view name);
  Result<ValueId> int_vector(const aten::SymIntList& items);
  /// An int64 value of rank 0 from an integer that may be symbolic.
  Result<ValueId> int_scalar(std::string_view name);
  Result<ValueId> int_scalar(const aten::SymItem<int64_t>& item);
  /// A value of rank 0 and the given element type from a Python number that may be symbolic.
  Result<ValueId> scalar(const aten::Number& number, DataType element);
  Result<ValueId> scalar(std::string_view name, DataType element);

  const ValueType& type(ValueId id) { return builder().type(id); }
  DataType element(ValueId id) { return builder().element(id); }
  const SymShape* shape(ValueId id) { return builder().shape(id); }
  /// The rank, or an error when it is not known.
  Result<int64_t> rank(ValueId id);
  /// The symbolic shape, or an error when the rank is not known.
  Result<SymShape> known_shape(ValueId id);
  /// The constant behind a value, or null.
  const Tensor* constant(ValueId id) { return builder().graph().constant(id); }
  /// Whether a node or an output of the graph reads the node's i-th output.
  bool is_used(size_t output) const;
  /// What PyTorch says of the node's i-th tensor output.
  Result<const aten::TensorMeta*> output_meta(size_t i = 0);

  Result<ValueId> add(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return builder().add(op, std::move(inputs), std::move(attributes));
  }
  /// Several outputs.
  Result<std::vector<ValueId>> add_multi(Op op, std::vector<ValueId> inputs, Attributes attributes,
                                         size_t outputs);
  ValueId ints(const std::vector<int64_t>& values) { return builder().constant_ints(values); }
  ValueId number(DataType element, double value) { return builder().constant_scalar(element, value); }
  /// A Cast, or the value itself when it has the element type already.
  Result<ValueId> cast(ValueId id, DataType element);

  /// The node's result is `id`. A value that this node made takes the program's name for it.
  Status finish(ValueId id) { return finish(std::vector<ValueId>{id}); }
  Status finish(Result<ValueId> id) { return id.ok() ? finish(*id) : Status(std::move(id.error())); }
  /// Several results: the node's outputs in order, or the elements of its one list output. kNoValue for a
  /// result that nobody uses.
  Status finish(const std::vector<ValueId>& ids);
  /// add, then finish.
  Status finish(Op op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return finish(add(op, std::move(inputs), std::move(attributes)));
  }

  /// kUnsupported: "WHY", with the ATen operator and the user's source line.
  Error unsupported(std::string_view why) const;

 private:
  Lowering& lowering_;
  const aten::Graph& source_;
  const aten::Node& node_;
  aten::ArgumentReader args_;
  size_t first_value_;  // values from here on were made by this node
};

}  // namespace tenon::lower
