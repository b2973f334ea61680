// Choice of kernels by measurement: the rows that fit each step are timed in runs of the whole model, where
// caches are as they will be.
#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"
#include "formats/engine/engine_file.h"
#include "tenon/engine.h"

namespace tenon {

struct Tuned {
  std::shared_ptr<const Engine> engine;
  std::vector<TunedStep> steps;                       ///< Those with more than one row.
  std::vector<std::vector<StepRecord::Timed>> timed;  ///< By step of the main graph, as the file holds them.
};

/// The engine with the fastest rows among those that fit, in place of those that its cost model chose, in
/// runs on `inputs`.
Result<Tuned> tune(std::shared_ptr<const Engine> engine, const std::vector<NamedValue>& inputs,
                   const BuildOptions& options);

}  // namespace tenon
