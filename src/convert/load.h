// Any model file to a TypedModel: the one place that knows which reader and which way each format takes.
// What sessions, export, align and inspect open models with.
#pragma once

#include <string>

#include "base/try.h"
#include "formats/engine/engine_file.h"
#include "ir/graph.h"
#include "ir/model.h"
#include "tenon/progress.h"

namespace tenon {

struct LoadOptions {
  /// For state dicts (.pth, .safetensors): the architecture that the weights belong to, e.g. "resnet18".
  std::string arch;
  ProgressFunction progress;
};

/// Reads an ONNX model (any opset), an exported PyTorch program (.pt2), the model that an engine was built
/// from or, with `arch`, a state dict. Told apart by content, and checked. Weights stay views of the mapped
/// file where the format allows. Errors name the file.
Result<TypedModel> load_model(const std::string& path, const LoadOptions& options = {});
/// The same of an ONNX file that was read already. Errors do not name the file, and memory that runs out
/// throws.
Result<TypedModel> load_onnx(onnx::Model model, const ProgressFunction& progress = {});

/// The model that an engine was built from. Errors do not name the file.
Result<TypedModel> load_original(const EngineFile& file);

}  // namespace tenon
