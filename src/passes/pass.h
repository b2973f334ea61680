// What a pass is: a function that looks at one graph and says what to change. The pipeline applies the
// change, to the main graph and to every body of control flow, and checks the result.
#pragma once

#include <string_view>

#include "ir/patch.h"

namespace tenon::passes {

struct PassContext {
  /// The graph that holds the node whose body this graph is; null for the main graph.
  const Graph* outer = nullptr;
};

struct Pass {
  std::string_view name;     ///< "fold-constants"
  std::string_view summary;  ///< One line for "tenon inspect --passes".
  Result<GraphPatch> (*run)(const Graph& graph, const PassContext& context);
  /// For what tenon runs itself: what it writes for others keeps the form that they know.
  bool for_engine = false;
};

/// Removes nodes that no output of the graph needs, and captures that nothing uses.
Result<GraphPatch> remove_dead_code(const Graph& graph, const PassContext& context);
/// Gives bodies of control flow constants of their own in place of captured ones.
Result<GraphPatch> import_constants(const Graph& graph, const PassContext& context);
/// Makes layers over the channels of images with channels last, in front of a Transpose to channels first,
/// 1x1 convolutions behind it.
Result<GraphPatch> move_channels_first(const Graph& graph, const PassContext& context);
/// Computes what depends on constants alone, unless the result would be much larger than what it is made of.
Result<GraphPatch> fold_constants(const Graph& graph, const PassContext& context);
/// Removes nodes that hand on their input as it is.
Result<GraphPatch> remove_identities(const Graph& graph, const PassContext& context);
/// Makes nodes that compute the same from the same values into one.
Result<GraphPatch> share_common_subexpressions(const Graph& graph, const PassContext& context);
/// Rewrites by laws that hold bit for bit: x * 1, x - 0, a transpose of a transpose, a reshape of a reshape.
Result<GraphPatch> simplify_algebra(const Graph& graph, const PassContext& context);

}  // namespace tenon::passes
