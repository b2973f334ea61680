// OutputPlan: where the values that a caller asks for by name come from. Outputs and values between steps are
// taken as they are made; what a fused step does not make is recomputed from the step's inputs; what passes
// removed is recomputed from the values around it. The engine's own steps stay as they are, so that asking
// for more values does not change the bits of any.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "engine/reference_kernel.h"

namespace tenon {

struct OutputPlan {
  /// A value of the engine's main graph, copied when it is there: after a step, or before the first (-1).
  struct Taken {
    int step = -1;
    ValueId id = kNoValue;
    size_t slot = 0;
  };
  /// Values inside a fused step, recomputed from its inputs.
  struct Recomputed {
    int step = 0;
    ops::Region region;
    std::unique_ptr<ReferenceKernel> kernel;
    std::vector<size_t> output_slots;
  };
  /// Values that only the original graph has, recomputed at the end from other slots.
  struct Derived {
    ops::Region region;
    std::unique_ptr<ReferenceKernel> kernel;
    std::vector<size_t> input_slots;
    std::vector<size_t> output_slots;
  };

  size_t slot_count = 0;
  std::vector<Taken> taken;            ///< By step.
  std::vector<Recomputed> recomputed;  ///< By step.
  std::vector<Derived> derived;        ///< In an order in which they can run.
  std::vector<size_t> results;         ///< The slot of each name asked for.
};

/// How a value can be had.
enum class Availability : uint8_t { kUnknownName, kReady, kRecomputed };
Availability availability(const Engine& engine, std::string_view name);

/// Plans for names in order; a name may stand twice. kUsage for an unknown name, with the names that come
/// near.
Result<OutputPlan> plan_outputs(const Engine& engine, const std::vector<std::string>& names);

}  // namespace tenon
