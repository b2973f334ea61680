// Checks a Model against the rules of ONNX's IR that need no operator schemas. What formats/onnx reads is
// well formed; this says whether it is a model. Checks of nodes against their schemas:
// ops/core/check_schemas.h.
#pragma once

#include <string>
#include <vector>

#include "ir/model.h"
#include "tenon/error.h"

namespace tenon::onnx {

/// Everything that is wrong, in file order, at most `problems_max` entries: names (value made twice, input of
/// a node that nothing before it makes, output of a graph that nothing makes, initializer twice), types
/// (inputs and outputs of the main graph without one, negative dimensions), attributes (twice, no name, value
/// at odds with its kind, reference outside of a function), opset imports (missing, twice, of no version),
/// functions (twice, calls of themselves also through others and through subgraphs), sparse initializers
/// (shapes, order and range of indices), nesting of subgraphs. Each is of kInvalidModel or kLimit and names
/// the node or value.
std::vector<Error> find_problems(const Model& model, size_t problems_max = 20);

/// The first problem as an error.
Status verify(const Model& model);

}  // namespace tenon::onnx
