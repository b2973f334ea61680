// What functionalisation knows of operators whose result shares memory with their input: whether it does, and
// how a write into the result reaches the input.
#pragma once

#include <optional>
#include <string>

#include "ir/aten/program.h"

namespace tenon::aten {

/// Whether a result shares its input's memory. kMaybe: it depends on sizes that are not known.
enum class Sharing : uint8_t { kNever, kAlways, kMaybe };

/// How results relate to the one input that they share memory with.
struct ViewInfo {
  std::string source;  ///< The input's name; empty when nothing is shared.
  Sharing sharing = Sharing::kNever;
  bool is_identity = false;  ///< The operator does nothing at all: alias, detach.
};

/// Asks the operator's schema, and for operators that copy only when they must ("reshape", "contiguous",
/// "to") the strides of `graph`'s tensors. Operators that write are not views.
ViewInfo view_info(const Graph& graph, const Node& node);

/// A node that gives the new value of a view's input: `parent` with the elements that output `index` of
/// `view` shows replaced by `value`; nullopt when `view` has no such form (as_strided, expand, unfold). The
/// result has neither name nor outputs; "aten.alias.default" means `value` itself. `graph` knows the types of
/// all three.
std::optional<Node> scatter_node(const Graph& graph, const Node& view, size_t index,
                                 const std::string& parent, const std::string& value);

}  // namespace tenon::aten
