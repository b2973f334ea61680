// From a PyTorch file to a standard ONNX file, without Python and without LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tenon/error.h"
#include "tenon/progress.h"

namespace tenon {

struct ExportOptions {
  /// ai.onnx opset of the file, 11 to 28: exactly this one, or an error that names the operator and the opset
  /// that has it.
  int opset = 18;
  /// Names of the first inputs and outputs in order; the others keep PyTorch's. Any characters.
  std::vector<std::string> input_names, output_names;
  /// New names of symbolic dimensions, by the program's own ("s77" -> "batch").
  std::map<std::string, std::string> dimension_names;
  /// A dimension that must be dynamic, and its name. One that the program fixed is an error.
  struct DynamicDimension {
    std::string input;
    int64_t axis = 0;
    std::string name;
  };
  std::vector<DynamicDimension> dynamic;
  /// Fixes the shape of inputs by name.
  std::map<std::string, std::vector<int64_t>> input_shapes;
  /// The architecture of a state dict: "resnet18".
  std::string arch;
  /// Fold constants and remove nodes without effect. Off: the file holds the program as it was, every weight
  /// under its own name with its own bits.
  bool fold = false;
  /// Write weights to OUT.data beside the file, whatever their size. Above 2 GB this happens anyway.
  bool external_data = false;
  ProgressFunction progress;  ///< Told of reading, converting and writing.
};

struct ExportReport {
  struct Port {
    std::string name;
    std::string type;  ///< "float32[batch,3,224,224]"
  };
  std::vector<Port> inputs, outputs;
  int opset = 0;
  int64_t ir_version = 0;
  size_t node_count = 0;
  size_t initializer_count = 0;
  uint64_t weight_bytes = 0;
  std::map<std::string, size_t> operators;  ///< How many nodes of each.
  std::vector<std::string> warnings;        ///< What the user should know, one sentence each.
};

/// Converts the model at `path` (.pt2; with `arch` a state dict; .onnx for a change of opset) and writes it
/// to `output`, which appears complete or not at all. Errors name the file at fault.
Result<ExportReport> export_model(const std::string& path, const std::string& output,
                                  const ExportOptions& options = {});

}  // namespace tenon
