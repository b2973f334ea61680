// Reads ONNX files into onnx::Model: all that the file says, checked for being well formed, not for being a
// sensible model (ir/verifier.h does that). Tensors are views of the mapped file where alignment allows.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "formats/onnx/options.h"
#include "ir/model.h"
#include "tenon/error.h"

namespace tenon::onnx {

/// Maps and reads the file at `path`, and the external data that it names below its own folder. Errors name
/// the file and, where there is one, the node: kNotFound, kMalformed (damaged or hostile bytes),
/// kInvalidModel, kLimit, kUnsupported.
Result<Model> read_model(const std::string& path, const ReadOptions& options = {});

/// Reads a model from memory. `owner` keeps `bytes` alive for as long as tensors of the model refer to them;
/// without one the tensors are copies. External data is looked for below `base_dir`.
Result<Model> parse_model(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                          const std::string& base_dir, const ReadOptions& options = {});

}  // namespace tenon::onnx
