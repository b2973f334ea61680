// Engines in files: what `tenon build` writes and sessions open. The file holds the graph, the row that each
// step took and what it packed; everything else is compiled again when it is opened, by the code that
// compiles models, so that a damaged or forged file cannot make a kernel do what that code would not.
#pragma once

#include <memory>
#include <string>

#include "base/atomic_file.h"
#include "engine/engine.h"
#include "formats/engine/engine_file.h"

namespace tenon {

/// Writes the engine to a file that commit() gives its name. kUnsupported when the graph cannot be written as
/// ONNX.
/// `timed` has the rows that were timed for each step of the main graph, or nothing.
Result<AtomicFile> store_engine(const Engine& engine, const std::string& path,
                                const std::vector<std::vector<StepRecord::Timed>>& timed = {},
                                const ProgressFunction& progress = {});

struct OpenEngineOptions {
  bool any_cpu = false;  ///< Take an engine that was tuned on another CPU of the same instruction set.
  ProgressFunction progress;
};
/// The engine in a file, on packed weights that stay in the mapped file. kUnsupported when it was built by
/// another tenon, for instructions that this CPU lacks, or for another CPU; kMalformed when it is damaged.
/// Errors do not name the file.
Result<std::shared_ptr<const Engine>> open_engine(const EngineFile& file, const OpenEngineOptions& options);

}  // namespace tenon
