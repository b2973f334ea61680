// Model-local functions: every call is replaced by the function's body, so that what comes after needs to
// know standard operators only. Works on the Model as read, before it is upgraded.
#pragma once

#include <cstddef>

#include "ir/model.h"
#include "tenon/error.h"

namespace tenon::ops {

struct InlineOptions {
  size_t bytes_max = size_t{256} << 20;  ///< Memory for the nodes that inlining makes.
  int depth_max = 64;                    ///< Functions that call functions.
};

/// The model without functions (and without training information, which may call them). Calls in subgraphs
/// are replaced too. Values inside of a body are named after the call, attribute references get the call's
/// values or the function's defaults, and nodes without provenance of their own carry the call's. Tensors are
/// shared.
///
/// kInvalidModel: a recursive function, a call with too many inputs, an attribute without a value or of
/// another type, a reference to an attribute outside of a function. kLimit: bodies that grow beyond the
/// limits. kUnsupported: a body that imports another version of an operator set than the model, where an
/// operator changed between the two.
Result<onnx::Model> inline_functions(const onnx::Model& model, const InlineOptions& options = {});

}  // namespace tenon::ops
