// From a program that may write into its tensors to one that does not: the second stage of the flow
// aten::Program -> aten::FunctionalProgram -> TypedModel. Only functionalise() makes a FunctionalProgram, so
// that lowering cannot be given a program with side effects.
#pragma once

#include "ir/aten/program.h"

namespace tenon::aten {

/// A program in which every value is written once: no node writes into its inputs, no node is without effect
/// on values, and the new values of buffers and user inputs are graph outputs (kBufferMutation and the like)
/// when they were so in the file.
class FunctionalProgram {
 public:
  const Program& program() const { return program_; }
  const Graph& graph() const { return program_.graph; }
  /// What the user should know: buffers that the program writes without returning them, layers that were left
  /// in training mode. One sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  friend Result<FunctionalProgram> functionalise(Program program);
  FunctionalProgram() = default;
  Program program_;
  std::vector<std::string> warnings_;
};

/// Rewrites in-place operators ("aten.relu_.default") to their functional form, follows each write through
/// the views that share memory with its target, drops nodes that have no effect on values (assertions,
/// detach, alias) and puts grad-mode and autocast regions in line. Subgraphs are treated likewise. Errors:
/// kUnsupported for a write through a view that has no functional form (as_strided), kInvalidModel for a
/// program that refers to values that it does not make.
Result<FunctionalProgram> functionalise(Program program);

}  // namespace tenon::aten
