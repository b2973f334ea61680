// GraphPatch: a change to a graph, stated apart from making it. Passes look at a graph and return a patch;
// apply() alone changes graphs, so that the rules every change must keep stand in one place.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/try.h"
#include "ir/graph.h"

namespace tenon {

class GraphPatch {
 public:
  /// For a change to this graph, which must be as it is now when the patch is applied.
  explicit GraphPatch(const Graph& graph) : first_new_value_(graph.value_count()) {}

  /// Every use of `old`, outputs of the graph included, becomes a use of `with`, which has the same elements
  /// in every run and the same type. A graph output keeps its name: `with` takes it over. Where that cannot
  /// be (`with` is an input, a constant or an output itself) the use as an output stays, see can_replace.
  void replace(ValueId old, ValueId with) { replaced_.emplace_back(old, with); }
  /// The value becomes a constant; the node that made it no longer does.
  void fold(ValueId id, Tensor constant) { folded_.emplace_back(id, std::move(constant)); }
  /// The node goes. None of its outputs may be in use after the patch.
  void remove(size_t node) { removed_.push_back(node); }
  /// The node takes the place of another, under the same outputs or some of them.
  void rewrite(size_t node, Node with) { rewritten_.emplace_back(node, std::move(with)); }
  /// A new node in front of node `before` of the graph as it is now.
  void insert(size_t before, Node node) { inserted_.emplace_back(before, std::move(node)); }
  /// A body of control flow uses a constant of its own in place of a captured one.
  void import_capture(size_t capture, Tensor constant) {
    imported_.emplace_back(capture, std::move(constant));
  }
  /// A body of control flow no longer captures a value.
  void drop_capture(size_t capture) { dropped_captures_.push_back(capture); }

  /// A value for new nodes to make, or a constant. The name is made unique.
  ValueId new_value(std::string_view name, ValueType type);
  ValueId new_constant(std::string_view name, Tensor tensor);

  bool empty() const { return changes() == 0; }
  /// How many places the patch changes.
  size_t changes() const;

 private:
  friend Status apply(Graph& graph, GraphPatch patch);
  struct NewValue {
    std::string name;
    ValueType type;
    std::optional<Tensor> constant;
  };

  size_t first_new_value_;
  std::vector<NewValue> new_values_;
  std::vector<std::pair<ValueId, ValueId>> replaced_;
  std::vector<std::pair<ValueId, Tensor>> folded_;
  std::vector<size_t> removed_;
  std::vector<std::pair<size_t, Node>> rewritten_;
  std::vector<std::pair<size_t, Node>> inserted_;
  std::vector<std::pair<size_t, Tensor>> imported_;
  std::vector<size_t> dropped_captures_;
};

/// Whether a use of `old` as an output of the graph can become a use of `with`. Passes leave a node alone
/// whose output is a graph output for which this is false.
bool can_replace(const Graph& graph, ValueId old, ValueId with);

/// Makes the change. Values that nothing makes any more stay in the graph, and so keep their names taken: a
/// name never means two different things in the life of a graph. kInternal when the patch breaks a rule.
Status apply(Graph& graph, GraphPatch patch);

}  // namespace tenon
