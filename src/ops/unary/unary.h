// The unary element-wise operators: one input, one output of the same shape, each element by itself. The
// family shares its reference (a table of functions) and its rules; definitions.cpp lists the operators.
#pragma once

#include "ops/core/op_def.h"
#include "ops/elementwise/map.h"

namespace tenon::ops {

/// The function of a unary operator with its attributes, over the compute types it is defined for. Activation
/// functions come from activation_loops(), the rest of the family from this one.
UnaryLoops unary_loops(const Node& node);
UnaryLoops activation_loops(const Node& node);

/// Reference of the operators whose output has the type of the input.
Status reference_unary(KernelContext& context);
/// Reference of Not, IsNaN and IsInf.
Status reference_unary_bool(KernelContext& context);
/// Output 0 is bool with the shape of input 0.
Status infer_unary_bool(InferContext& context);
/// As infer_same_as_first, with the known elements of small integer tensors carried through Neg, Abs and
/// Sign.
Status infer_unary_integer(InferContext& context);

// Operators that old opsets lack, written as older operators with the same value.
Status emit_hard_swish(EmitContext& context);
Status emit_mish(EmitContext& context);
Status emit_gelu(EmitContext& context);
Status emit_swish(EmitContext& context);
Status emit_celu(EmitContext& context);
Status emit_relu(EmitContext& context);
Status emit_bitwise_not(EmitContext& context);
Status emit_is_nan(EmitContext& context);

}  // namespace tenon::ops
