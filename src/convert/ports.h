// Names and sizes of a model's inputs and outputs, as whoever exports it wants them. Works on any TypedModel,
// whatever file it came from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/try.h"
#include "ir/graph.h"

namespace tenon {

/// Names the first inputs and outputs in order; the rest keep theirs. Any characters. An inner value that has
/// such a name gets another. kUsage: more names than ports, a name given twice or taken by a port or weight.
Status name_ports(TypedModel& model, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs);

/// A dimension of an input that must be open, and its name.
struct OpenDimension {
  std::string input;
  int64_t axis = 0;  ///< Negative: from the last.
  std::string name;
};

/// Renames symbolic dimensions: by their own names (`symbols`, "s77" to "batch"), and by the place where they
/// stand (`open`). kUsage: a symbol or input that does not exist, a dimension that the file fixed.
Status name_dimensions(TypedModel& model, const std::map<std::string, std::string>& symbols,
                       const std::vector<OpenDimension>& open);

/// Fixes the shapes of inputs, by name, and of everything that follows from them. kUsage: an unknown input, a
/// shape that contradicts a dimension that the file fixed.
Status fix_input_shapes(TypedModel& model, const std::map<std::string, std::vector<int64_t>>& shapes);

}  // namespace tenon
