// Lowering: from a functional ATen program to a TypedModel of canonical ONNX operators, the last step before
// emit. Each ATen operator has a handler in src/lower/aten/; this file owns the walk over the program, names,
// weights and inputs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/try.h"
#include "ir/graph.h"
#include "lower/functionalise.h"

namespace tenon::lower {

struct LowerOptions {
  std::vector<std::string> input_names;   ///< For the first inputs in order; the rest keep PyTorch's names.
  std::vector<std::string> output_names;  ///< Likewise for outputs.
  /// New names of symbolic dimensions ("s77" -> "batch").
  std::map<std::string, std::string> dimension_names;
  /// "input name, axis" -> name: the dimension must be dynamic in the program.
  struct DynamicDimension {
    std::string input;
    int64_t axis;
    std::string name;
  };
  std::vector<DynamicDimension> dynamic;
};

/// Inputs and outputs are the program's flattened tensors in order. Initializers carry PyTorch's names and
/// share the bytes of the program's weights; tied weights are one initializer. Errors name the ATen operator
/// and the user's source line: kUnsupported for an operator without a handler, kUsage for names that do not
/// fit.
Result<TypedModel> lower(const aten::FunctionalProgram& program, const LowerOptions& options = {});

/// All ATen targets that have a handler, sorted.
std::vector<std::string_view> lowered_targets();

}  // namespace tenon::lower
