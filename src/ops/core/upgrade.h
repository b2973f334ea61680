// From a Model, whatever its opset, to a TypedModel of canonical operators with types and shapes.
#pragma once

#include "base/try.h"
#include "ir/graph.h"
#include "ir/model.h"
#include "tenon/progress.h"

namespace tenon::ops {

/// Names that metadata_props of nodes carry a Provenance under (IR 10 and later; before, lines of
/// doc_string).
inline constexpr std::string_view kSourceKey = "source";
inline constexpr std::string_view kModuleKey = "module";
inline constexpr std::string_view kTargetKey = "target";

/// Every value keeps its name. Initializers share the bytes of the model's tensors. Errors name the node and
/// its operator: kUnsupported for an operator that tenon does not have, kInvalidModel for a model that breaks
/// a rule.
Result<TypedModel> upgrade(const onnx::Model& model, const ProgressFunction& progress = {});

/// The canonical type of a declared one: names of dimensions become symbols, nameless ones get symbols of
/// their own.
ValueType type_from(const onnx::Type& type);

}  // namespace tenon::ops
