// From a TypedModel to a Model at exactly the opset asked for.
#pragma once

#include <string>

#include "base/try.h"
#include "ir/graph.h"
#include "ir/model.h"
#include "ops/core/schema.h"
#include "tenon/progress.h"

namespace tenon::ops {

struct EmitOptions {
  int opset = kNewestOpset;
  bool provenance = true;          ///< Nodes carry source line and module path.
  ProgressFunction progress = {};  ///< Told of each node.
};

/// Values keep their names; constants become initializers that share the tensors' bytes. Every node is
/// checked against the schema in force at the opset: an operator, attribute or type that it lacks is
/// kUnsupported and the error names the opset that has it.
Result<onnx::Model> emit(const TypedModel& model, const EmitOptions& options);

/// The declared form of a type. Plain symbols and expressions become dim_param, anonymous symbols nothing.
onnx::Type type_to_onnx(const ValueType& type);

/// The IR version that onnx releases pair with an opset of ai.onnx.
int64_t ir_version_of(int opset);

}  // namespace tenon::ops
