// Frame: the values of one graph while it runs, the main graph or a body of control flow, and the services
// that its kernels ask for.
#pragma once

#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/memory_plan.h"
#include "runtime/run_state.h"

namespace tenon {

class Frame {
 public:
  /// `plan` may be null: then every value lives on the heap. The inputs, and what the captures name, outlive
  /// the frame.
  Frame(const EngineGraph& compiled, const MemoryPlan* plan, RunState& state);
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  /// The value, or null when it has not been made or has died.
  const Value* get(ValueId id) const { return memory_->values[index(id)]; }
  void bind(ValueId id, const Value* value) { memory_->values[index(id)] = value; }
  /// A value that is there, as everybody outside the engine knows it: in the plain layout.
  Value plain(ValueId id);
  /// Steps write the value into this tensor when they make one of its type and shape. The tensor outlives the
  /// frame.
  void write_into(ValueId id, const Tensor* destination) { destinations_.push_back({id, destination}); }
  /// Binds a value that the frame keeps.
  void own(ValueId id, Value value);

  /// Runs one step; its outputs are then there. Does not end the life of any value.
  Status run_step(size_t step);
  /// Frees the values that nobody needs after the step.
  void end_step(size_t step);
  /// Runs a kernel for some region apart from the steps, on inputs in the region's order; all outputs on the
  /// heap.
  Result<std::vector<Value>> run_apart(const ops::Region& region, const ops::Kernel& kernel,
                                       std::span<const Value* const> inputs);

  const EngineGraph& compiled() const { return compiled_; }
  RunState& state() { return state_; }

 private:
  class Services;

  Value settled(Value value, ValueId id) const;
  const Tensor* destination(ValueId id) const;

  const EngineGraph& compiled_;
  const MemoryPlan* plan_;
  RunState& state_;
  std::unique_ptr<FrameMemory> memory_;
  InlineVector<std::pair<ValueId, const Tensor*>, 4> destinations_;
};

/// Runs a body of control flow from values for its formal inputs; captured values come from `outer`.
Result<std::vector<Value>> run_body(const EngineGraph& body, std::vector<Value> inputs, Frame& outer);

}  // namespace tenon
