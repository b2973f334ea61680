// The element-wise operators with two or more broadcast operands: arithmetic, bits, comparisons, logic, and
// the variadic Min, Max, Sum and Mean. The family shares references, shape rules and the legacy broadcast of
// opsets before 7.
#pragma once

#include "ops/core/op_def.h"
#include "ops/elementwise/map.h"

namespace tenon::ops {

/// Reference of operators whose output has the type of input 0 (Add, Mod, PRelu, BitShift, And, ...).
Status reference_binary(KernelContext& context);
/// Reference of the comparisons: output bool. Equal takes strings too.
Status reference_comparison(KernelContext& context);
/// Reference of Min, Max, Sum and Mean.
Status reference_variadic(KernelContext& context);
/// Reference of Pow, whose operands may have different types.
Status reference_pow(KernelContext& context);

/// As infer_broadcast, with the known elements of small integer tensors carried through Add, Sub, Mul, Div,
/// Mod, Min and Max.
Status infer_arithmetic(InferContext& context);
/// As infer_broadcast_bool, with known elements compared where the outcome is certain.
Status infer_comparison(InferContext& context);
/// Output 0 has the type and shape of input 0, to which input 1 must broadcast.
Status infer_prelu(InferContext& context);
/// A SymInt operation behind one of the operators above, truncating as integers do; nullopt when it is not
/// certain.
std::optional<SymInt> fold_symbolic(const Node& node, const SymInt& a, const SymInt& b);

/// Before opset 7 the second operand was broadcast only if `broadcast` said so, from dimension `axis` on.
Status upgrade_broadcast(UpgradeContext& context);
/// The slope of PRelu before opset 7 was one number or one a channel.
Status upgrade_prelu(UpgradeContext& context);

/// Min and Max: types beyond the version in force are compared by Less and chosen by Where.
Status emit_min_max(EmitContext& context);
/// LessOrEqual and GreaterOrEqual before opset 12: Or(Less, Equal).
Status emit_or_equal(EmitContext& context);
/// Equal of bools and, before opset 19, not of strings.
Status emit_equal(EmitContext& context);
/// Pow: before opset 12 both operands had one type.
Status emit_pow(EmitContext& context);
/// BitShift of signed types needs opset 28; by a constant amount it is a product or a floor division.
Status emit_bit_shift(EmitContext& context);
/// Mod of real numbers with fmod 0 needs opset 28: A - floor(A / B) * B loses accuracy, so it is not split.
Status emit_mod(EmitContext& context);

}  // namespace tenon::ops
