// Emit through a wider type: what an operator writes at an opset whose version of it lacks the element type.
#pragma once

#include "ops/core/versions.h"

namespace tenon::ops {

/// Writes the node as it is when the version in force takes the type of input 0; else casts that input, and
/// all others of the same schema type, to the narrowest type that the version takes and that holds every
/// value, and casts the result back: float16 and bfloat16 through float32, small integers through int32.
/// Right for operators whose result in the wider type, rounded (or cut to its low bits) afterwards, is the
/// result in the narrower one. Attributes that the version lacks are the caller's concern: they are dropped.
/// The error names the first opset that takes the type.
Status emit_wide(EmitContext& context);

/// The same for operators that only compare and choose values (Max, Less): integers may also pass through
/// floating point types that hold them exactly.
Status emit_wide_ordered(EmitContext& context);

/// The types, in order of preference, that hold every value of `type`.
std::span<const DataType> wider_types(DataType type, bool through_float);

}  // namespace tenon::ops
