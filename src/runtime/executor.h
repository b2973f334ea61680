// Executor: runs the steps of an engine in order, control flow included.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/memory_plan.h"
#include "runtime/output_plan.h"
#include "runtime/run_state.h"

namespace tenon {

/// Runs the engine's main graph. `inputs` are the graph's inputs in order, null where one takes its default;
/// their types and shapes have been checked. `plan` was solved for their shapes. `results` gets the values
/// that `wanted` asks for, in its order; none of them lies in the state's memory. One that holds a tensor of
/// the value's type and shape already has its elements written. Errors name node and operator. Throws
/// std::bad_alloc.
Status execute(const Engine& engine, std::span<const Value* const> inputs, const MemoryPlan& plan,
               const OutputPlan& wanted, RunState& state, std::span<Value* const> results);

}  // namespace tenon
