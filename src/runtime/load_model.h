// From a file to a typed model, whatever the file's format.
#pragma once

#include <string>

#include "ir/graph.h"
#include "tenon/error.h"

namespace tenon {

/// Reads, checks and upgrades a model file, told apart by its content. Errors name the file, and the node and
/// operator at fault; kUnsupported for formats that hold no runnable model.
Result<TypedModel> load_model(const std::string& path);

}  // namespace tenon
