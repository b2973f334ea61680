// Type and shape rules. A rule reads what is known of a node's inputs and states what follows for its
// outputs. The same rule runs when a model is read (symbolic dimensions) and when a session meets new input
// shapes (all dimensions constant). It also passes on the elements of small integer tensors, so that a chain
// like Shape -> Gather -> Concat -> Reshape keeps its dimensions.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/try.h"
#include "ir/graph.h"

namespace tenon::ops {

/// What is known of a value before it is computed.
struct ValueFacts {
  ValueType type;
  std::optional<Tensor> constant;               ///< All elements, when they are known for good.
  std::optional<std::vector<SymInt>> elements;  ///< Of an integer tensor of rank 0 or 1 (row-major).
};

/// Integer tensors with more elements than this do not have their elements tracked.
inline constexpr int64_t kTrackedElements = 1024;

class InferContext {
 public:
  /// Infers a subgraph of the node from facts about its formal inputs; captured values are known to the
  /// driver.
  using SubgraphRule =
      std::function<Result<std::vector<ValueFacts>>(std::string_view, std::vector<ValueFacts>)>;
  using SymbolSource = std::function<SymInt()>;

  InferContext(const Node& node, std::vector<const ValueFacts*> inputs, SymbolSource symbols,
               SubgraphRule subgraphs);

  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return outputs_.size(); }
  bool has_input(size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  bool has_output(size_t i) const { return node_.has_output(i); }

  /// Facts of an input; an omitted input has an unknown type.
  const ValueFacts& input(size_t i) const;
  const ValueType& type(size_t i) const { return input(i).type; }
  DataType element(size_t i) const { return type(i).element; }
  /// The symbolic shape, or null when the input is omitted or its rank is not known.
  const SymShape* shape(size_t i) const;
  /// The constant value, or null.
  const Tensor* constant(size_t i) const;
  /// The elements of an integer tensor, from its constant or from tracking; nullopt when not known.
  std::optional<std::vector<SymInt>> elements(size_t i) const;
  /// The same when every element is a plain number.
  std::optional<std::vector<int64_t>> known_ints(size_t i) const;

  void set_output(size_t i, ValueType type);
  void set_output(size_t i, DataType element, std::optional<SymShape> shape = std::nullopt) {
    set_output(i, ValueType::tensor(element, std::move(shape)));
  }
  void set_elements(size_t i, std::vector<SymInt> elements);
  /// A dimension that depends on data.
  SymInt fresh_symbol() { return symbols_(); }
  SymShape fresh_shape(size_t rank);
  Result<std::vector<ValueFacts>> infer_subgraph(std::string_view attribute, std::vector<ValueFacts> inputs) {
    return subgraphs_(attribute, std::move(inputs));
  }

  std::vector<ValueFacts>& outputs() { return outputs_; }

 private:
  const Node& node_;
  std::vector<const ValueFacts*> inputs_;
  std::vector<ValueFacts> outputs_;
  SymbolSource symbols_;
  SubgraphRule subgraphs_;
};

using InferRule = Status (*)(InferContext&);

/// Shape of the multidirectional broadcast of two shapes (ONNX Broadcasting); an error when they do not fit.
/// A symbolic dimension against a constant other than 1 gives the constant; two unequal symbols give `a`'s.
Result<SymShape> broadcast(const SymShape& a, const SymShape& b);
/// An axis in [-rank, rank) made non-negative, or an error.
Result<int64_t> normalize_axis(int64_t axis, int64_t rank);

/// Common rules. Output 0 has the type and shape of input 0 (elements too, when `keep_elements`).
Status infer_same_as_first(InferContext& context);
/// Output 0 is the broadcast of all inputs with the element type of input 0.
Status infer_broadcast(InferContext& context);
/// Output 0 is the broadcast of all inputs, bool.
Status infer_broadcast_bool(InferContext& context);

}  // namespace tenon::ops
