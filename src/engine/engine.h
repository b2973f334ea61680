// Engine: a typed model compiled for this machine: steps in the order of running, each with the kernel chosen
// for it. Immutable; sessions and their runs share it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "engine/choice.h"
#include "engine/layout.h"
#include "ir/graph.h"
#include "ops/core/kernel.h"
#include "tenon/progress.h"

namespace tenon {

struct EngineOptions {
  /// The highest instruction set that kernels may use.
  Isa isa = available_isa();
  /// No kernel rows and no fusion: the plain references alone.
  bool references_only = false;
  /// Rows whose names begin so are taken wherever they fit.
  std::vector<std::string> preferred_rows;
};

/// One kernel call.
struct Step {
  ops::Region region;
  std::unique_ptr<const ops::Kernel> kernel;
  std::string_view row;                       ///< The name of the kernel row, or "reference".
  bool spreads = false;                       ///< As KernelRow::spreads.
  int reorders = 0;                           ///< Inputs that the step brings into another layout first.
  std::vector<kernels::PackedFloats> packed;  ///< The weights that the kernel packed, in its order.
  std::vector<ValueId> dies;  ///< Values that neither a later step nor an output of the graph needs.
};

/// The compiled form of a graph: of the model, or of a body of control flow.
struct EngineGraph {
  const Graph* graph = nullptr;
  std::vector<Step> steps;
  std::vector<Value> constants;  ///< By ValueId; an undefined tensor where the value is no constant.
  std::vector<int> producer;     ///< By ValueId: the step whose region makes the value, or -1.
  std::vector<StoredAs> stored;  ///< By ValueId: how steps hand the value on.
  std::vector<std::unique_ptr<EngineGraph>> bodies;

  /// The compiled form of a subgraph of one of the nodes.
  const EngineGraph* body(const Graph* subgraph) const;
  bool is_constant(ValueId id) const {
    return constants[index(id)].is_tensor() && constants[index(id)].tensor().defined();
  }
};

class Engine {
 public:
  /// Compiles `optimised`, what the passes made of `original`. The original stays, since it alone knows the
  /// values that passes removed. `progress` is told of each step. kUnsupported names a node that cannot be
  /// run.
  static Result<std::shared_ptr<const Engine>> compile(std::shared_ptr<const TypedModel> original,
                                                       TypedModel optimised, const EngineOptions& options,
                                                       const ProgressFunction& progress = {});
  /// The same with the rows and packed weights that `choice` decides on.
  static Result<std::shared_ptr<const Engine>> compile(std::shared_ptr<const TypedModel> original,
                                                       TypedModel optimised, const EngineOptions& options,
                                                       Choice& choice, const ProgressFunction& progress = {});

  const TypedModel& original() const { return *original_; }
  const std::shared_ptr<const TypedModel>& original_model() const { return original_; }
  const TypedModel& model() const { return model_; }
  const EngineGraph& main() const { return *main_; }
  const EngineOptions& options() const { return options_; }
  uint64_t weight_bytes() const;
  uint64_t packed_bytes() const;

 private:
  Engine() = default;
  std::shared_ptr<const TypedModel> original_;
  TypedModel model_;
  EngineOptions options_;
  std::unique_ptr<EngineGraph> main_;
};

}  // namespace tenon
