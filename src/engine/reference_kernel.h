// ReferenceKernel: any part of a graph as a kernel that runs the nodes one by one by their references. It is
// the last choice of every step, the fallback of a fused region, and what recomputes values that a fused
// kernel never makes.
#pragma once

#include <memory>
#include <vector>

#include "ops/core/kernel.h"

namespace tenon {

class ReferenceKernel final : public ops::Kernel {
 public:
  /// For a region whose graph outlives the kernel. kUnsupported when a node has no reference.
  static Result<std::unique_ptr<ReferenceKernel>> make(const ops::Region& region);

  /// Errors name the node at fault.
  Status run(ops::KernelContext& context) const override;

 private:
  // Where a node's input comes from, or its output goes to.
  struct Slot {
    enum class Kind : uint8_t { kNone, kInput, kConstant, kLocal } kind = Kind::kNone;
    size_t index = 0;
  };
  struct NodePlan {
    const Node* node;
    ops::Reference reference;
    std::vector<Slot> inputs;
    std::vector<Slot> outputs;
  };

  std::vector<NodePlan> nodes_;
  std::vector<Value> constants_;
  std::vector<int> output_of_local_;  // index of the region output that a local is, or -1
};

/// The region that holds just these nodes of a graph, with inputs and outputs worked out: inputs are what the
/// nodes (and subgraphs that they hold) use and do not make, constants excepted; outputs as given.
ops::Region make_region(const Graph& graph, std::vector<const Node*> nodes, size_t anchor,
                        std::vector<ValueId> outputs);

}  // namespace tenon
