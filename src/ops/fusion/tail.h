// The tail of a fused region: the nodes after its anchor, as micro-operations on the anchor's result. Read by
// the partitioner (what is worth fusing) and by kernel rows (what they have to do).
#pragma once

#include <optional>
#include <vector>

#include "kernels/gemm/epilogue.h"
#include "ops/core/kernel.h"

namespace tenon::ops {

struct FusedTail {
  std::vector<kernels::MicroOp> ops;
  std::vector<size_t> operands;  ///< For each operand of the ops, its index in Region::inputs.
};

/// The nodes of the region from `first` on, where `current` is the float32 result so far. nullopt when one of
/// them is not a micro-operation: an activation, or a sum or product with a tensor of the same shape.
std::optional<FusedTail> fused_tail(const Region& region, size_t first, ValueId current);

/// Whether a BatchNormalization in inference mode with constant parameters.
bool is_constant_batch_norm(const Graph& graph, const Node& node);

/// The constant that node 1 of a region adds to each row of its anchor, a MatMul with a constant matrix; null
/// when it does something else.
const Tensor* constant_bias(const Region& region);

/// How many nodes at the front of a region are its anchor and what kernels fold into the anchor's constants:
/// a BatchNormalization after Conv, a bias after MatMul. The tail begins behind them.
size_t folded_nodes(const Region& region);

/// The operands of a call, in the order that the micro-operations number them; an error when one has another
/// shape than the output.
Result<std::vector<const float*>> tail_operands(const FusedTail& tail, KernelContext& context,
                                                const Shape& output);

}  // namespace tenon::ops
