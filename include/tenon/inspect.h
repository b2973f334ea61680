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
  /// Also what each pass changed: the graph as text before and after it.
  bool passes = false;
  /// Also the graph as text: as it is in the file, and as it runs.
  bool graph = false;
  /// Also read all of an engine file: kMalformed when its weights are not those that were written.
  bool verify = false;
  /// Also what each step takes in runs on random inputs, and the least that this machine could take for it.
  bool time = false;
  int threads = 0;            ///< Of these runs; 0: as many as the process has CPUs.
  ProgressFunction progress;  ///< Told of reading the file and making it ready to run.
};

/// What this machine can do at most, measured.
struct MachineLimits {
  int threads = 0;
  double fma_gflops = 0;   ///< Multiply-adds of float32 in registers, each two operations.
  double memory_gbps = 0;  ///< Reading memory far larger than the caches.
  double cache_gbps = 0;   ///< Reading what the last cache holds.
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
  std::string operators;          ///< Theirs, in order: "Conv + BatchNormalization + Relu".
  int reorders = 0;               ///< Inputs that the step brings into another layout first.
  double work = 1;                ///< Multiplications of the kernel's algorithm over those of the plain one.
  uint64_t packed_bytes = 0;      ///< Weights as the kernel reads them.
  double time_ms = 0;             ///< The median over some runs; 0 when it was not measured.
  /// The larger of: multiplications over the machine's peak, bytes over its bandwidth. 0 when it was not
  /// measured.
  double bound_ms = 0;
  /// Another kernel for the operator, and why it was not taken.
  struct Other {
    std::string kernel, reason;
  };
  std::vector<Other> others;
};

struct PassEffect {
  std::string name, summary;
  size_t changes = 0;
  std::string before, after;  ///< The graph as text, when the pass changed something.
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
  int reorders = 0;  ///< In one run.
  MemoryReport memory;
  std::optional<MachineLimits> limits;  ///< When times were asked for.
  std::vector<PassEffect> passes;
  std::string file_graph, engine_graph;
  std::optional<EngineDescription> engine;  ///< Of an engine file.
  std::vector<std::string> warnings;
};

/// Reads a model file (.onnx, .pt2, a state dict) or arrays (.npz, .npy). Errors name the file.
Result<InspectReport> inspect(const std::string& path, const InspectOptions& options = {});

}  // namespace tenon
