// In-place operators and their functional forms.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/aten/program.h"

namespace tenon::aten {

/// The position of the input that `node` writes into, or nullopt when it writes none. Operators without
/// schema write nothing. kUnsupported when it writes several.
Result<std::optional<size_t>> written_input(const Node& node);

/// True for operators that change the shape of the tensor object that they are given, not its elements:
/// "unsqueeze_", "t_", "transpose_". The same without the last underscore gives the view that it becomes.
bool is_shape_mutation(const Node& node);

/// Computes what an in-place node leaves in its written input.
struct FunctionalForm {
  std::vector<Node> nodes;  ///< In order; empty when the new value is there already.
  std::string value;        ///< The new value of the written input: its type and shape, whatever was written.
};
/// `node` writes its input 0, called `self`. A value that `nodes` makes is called as the node's own output,
/// others get names from `fresh`; all are entered into graph.tensors. kUnsupported when the operator has no
/// functional form.
Result<FunctionalForm> functional_form(Graph& graph, const Node& node,
                                       const std::function<std::string(const std::string&)>& fresh);

}  // namespace tenon::aten
