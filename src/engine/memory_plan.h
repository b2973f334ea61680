// The memory plan: where in one block of memory the values of a run lie, so that values whose lifetimes do
// not meet share bytes. Solved once for each set of input shapes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"

namespace tenon {

/// A value of known size: alive from the step that makes it to the last step that reads it, both included.
struct Lifetime {
  size_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct Placement {
  std::vector<size_t> offsets;  ///< For each lifetime, a multiple of 64.
  size_t bytes = 0;             ///< Of the whole block.
};

/// Places lifetimes so that no two that meet overlap. Greedy by size, largest first, each at the tightest gap
/// that holds it (the "greedy by size" of Pisarchyk and Lee, arXiv 2001.03288).
Placement place(std::span<const Lifetime> lifetimes);

/// The plan of a graph for one set of input shapes.
struct MemoryPlan {
  struct Slot {
    DataType type = DataType::kUndefined;
    Shape shape;
    size_t offset = 0;
  };
  /// By ValueId: where a value lies. Nothing for values that live on the heap: those of unknown size,
  /// strings, sequences, and whatever shares bytes with an output of the graph.
  std::vector<std::optional<Slot>> slots;
  /// By ValueId: whether a value may share the bytes of another one, whose lifetime then covers it.
  std::vector<bool> views;
  size_t bytes = 0;
};

/// Solves the plan for inputs of these types, in the order of the graph's inputs.
Result<std::shared_ptr<const MemoryPlan>> plan_memory(const EngineGraph& compiled,
                                                      std::span<const ValueType> inputs);

}  // namespace tenon
