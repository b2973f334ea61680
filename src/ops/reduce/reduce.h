// The Reduce operators: sum, mean, maximum and others over some axes of a tensor. One reference loop, given a
// small set of functions for each operator; one shape rule; one pair of version rules.
#pragma once

#include "ops/core/op_def.h"

namespace tenon::ops {

/// Reference of all ten Reduce operators, after ONNX's Operators.md.
Status reference_reduce(KernelContext& context);
/// The shape without (or with length 1 for) the reduced axes. Sums, products, minima and maxima of known
/// elements are known.
Status infer_reduce(InferContext& context);
/// Axes were an attribute before opset 13 (ReduceSum) or 18.
Status upgrade_reduce(UpgradeContext& context);
Status emit_reduce(EmitContext& context);

}  // namespace tenon::ops
