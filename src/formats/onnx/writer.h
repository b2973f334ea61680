// Writes onnx::Model as an ONNX file. What the reader read is written as an equal message.
#pragma once

#include <string>

#include "formats/onnx/options.h"
#include "ir/model.h"
#include "tenon/error.h"

namespace tenon::onnx {

/// Writes the file beside its target and renames it. External data goes to the file PATH.data, written first:
/// it begins with a signature, and an existing file without that signature is never replaced (kUsage).
/// kUnsupported when the model does not fit into 2 GiB without external data and that was not wanted.
Status write_model(const Model& model, const std::string& path, const WriteOptions& options = {});

/// The bytes of the model. Tensors that were read from external data keep their reference.
Result<std::string> serialize(const Model& model);

}  // namespace tenon::onnx
