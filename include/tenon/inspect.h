// What is in a model file, and what tenon makes of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tenon/error.h"
#include "tenon/progress.h"
#include "tenon/session.h"

namespace tenon {

struct InspectOptions {
  /// The architecture of a state dict. Without one, a state dict's tensors are listed and nothing else.
  std::string arch;
  /// Also what each pass changed, and the graph after it as text.
  bool passes = false;
  /// Also the graph as text: as it is in the file, and as it runs.
  bool graph = false;
  /// Also read all of an engine file: kMalformed when its weights are not those that were written.
  bool verify = false;
  ProgressFunction progress;  ///< Told of reading the file and making it ready to run.
};

/// The cost of one step of a run, for the declared shapes with open dimensions taken as 1.
struct LayerCost {
  std::string node, op, kernel;
  std::string output;       ///< "float32[1,64,112,112]"
  std::string module_path;  ///< "layer1.0.conv1"
  int64_t macs = 0;  ///< Multiplications with an addition, of convolutions and matrix products; 0 for others.
  uint64_t weight_bytes = 0;
  uint64_t activation_bytes = 0;  ///< Read and written.
  size_t fused = 1;               ///< Nodes of the model that the step computes.
};

struct PassEffect {
  std::string name, summary;
  size_t changes = 0;
  std::string graph;  ///< After the pass, when it changed something.
};

/// What an engine file says of itself.
struct EngineDescription {
  std::string build;  ///< The tenon that made it.
  std::string isa, cpu;
  uint64_t file_bytes = 0;
};

struct InspectReport {
  std::string format;  ///< "an ONNX model"
  std::string origin;  ///< "onnx opset 17", "torch.export 2.13.0"
  std::string producer;
  int64_t ir_version = 0;  ///< Of an ONNX file.
  std::vector<std::pair<std::string, int64_t>> opsets;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<ValueDescription> inputs, outputs;
  /// The tensors of a file that holds no model: names and types.
  std::vector<std::pair<std::string, std::string>> tensors;
  size_t nodes = 0, functions = 0;
  std::map<std::string, size_t> operators;  ///< How many nodes of each, in the file.
  size_t weights = 0;
  uint64_t weight_bytes = 0;
  std::vector<LayerCost> layers;
  int64_t macs = 0;
  MemoryReport memory;
  std::vector<PassEffect> passes;
  std::string file_graph, engine_graph;
  std::optional<EngineDescription> engine;  ///< Of an engine file.
  std::vector<std::string> warnings;
};

/// Reads a model file (.onnx, .pt2, a state dict) or arrays (.npz, .npy). Errors name the file.
Result<InspectReport> inspect(const std::string& path, const InspectOptions& options = {});

}  // namespace tenon
