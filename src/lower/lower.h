// Lowering: from a functional ATen program to a TypedModel of canonical ONNX operators, the last step before
// emit. Each ATen operator has a handler in src/lower/aten/; this file owns the walk over the program, names,
// weights and inputs.
#pragma once

#include <string_view>
#include <vector>

#include "base/try.h"
#include "ir/graph.h"
#include "lower/functionalise.h"
#include "tenon/progress.h"

namespace tenon::lower {

/// Inputs and outputs are the program's flattened tensors in order. Initializers carry PyTorch's names and
/// share the bytes of the program's weights; tied weights are one initializer. Inputs have the program's
/// names, outputs those of their leaves in the output tree ("logits") where these have names. Errors name the
/// ATen operator and the user's source line: kUnsupported for an operator without a handler.
Result<TypedModel> lower(const aten::FunctionalProgram& program, const ProgressFunction& progress = {});

/// All ATen targets that have a handler, sorted.
std::vector<std::string_view> lowered_targets();

}  // namespace tenon::lower
