// Graphs as text for people: `tenon inspect`, and looking at what a pass did.
#pragma once

#include <string>

#include "ir/graph.h"

namespace tenon {

struct PrintOptions {
  int64_t elements_max = 6;  ///< Constants of at most so many elements are shown where they are used.
  bool provenance = true;    ///< A comment line where the module changes, and each node's source line.
  bool constants = true;     ///< List the constants that are too large to be shown where they are used.
};

/// One line for each node: "y: float32[n,64] = Gemm(x, fc.weight, fc.bias) {transB=1}". Names that could be
/// mistaken for something else are quoted; omitted inputs and outputs are "_"; subgraphs are indented below
/// their node.
std::string print(const Graph& graph, const PrintOptions& options = {});
std::string print(const TypedModel& model, const PrintOptions& options = {});

/// The elements of a tensor, abbreviated: "{1, 2, 3, ... 64 in all}".
std::string print_elements(const Tensor& tensor, int64_t elements_max);

}  // namespace tenon
