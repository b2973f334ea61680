// The tail of a fused region: the nodes after its anchor, as micro-operations on the anchor's result. Read by
// the partitioner (what is worth fusing) and by kernel rows (what they have to do).
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "kernels/gemm/epilogue.h"
#include "ops/core/kernel.h"

namespace tenon::ops {

struct FusedTail {
  std::vector<kernels::MicroOp> ops;
  std::vector<size_t> operands;  ///< For each operand of the ops, its index in Region::inputs.
};

/// The nodes of the region from `first` on, where `current` is the float32 result so far. nullopt when one of
/// them is not a micro-operation, or an epilogue takes no more operands: an activation, or a sum or product
/// with a tensor of the same shape.
std::optional<FusedTail> fused_tail(const Region& region, size_t first, ValueId current);

/// The constant that the node after a region's anchor, a MatMul with a constant matrix, adds to each row;
/// null when it does something else.
const Tensor* constant_bias(const Region& region);

/// The node of a region that kernels fold into the constants of its anchor (ChannelNorm::of): a
/// BatchNormalization, or a product with one number for each channel, behind a Conv or ConvTranspose; a
/// BatchNormalization behind a Gemm or MatMul with a constant matrix, of whose result a column is a channel,
/// and its bias. Null when there is none.
const Node* folded_channel_norm(const Region& region);

/// Element-wise operators that can begin a region of micro-operations, when no convolution or product does:
/// sums and products of tensors, activations, and a BatchNormalization, or a product or sum with one number
/// for each channel.
bool can_begin_map(const Graph& graph, const Node& node);

/// What a map does to each channel of its first input before the micro-operations: x * scale + shift.
struct ChannelScale {
  std::vector<float> scale, shift;  ///< By channel, when the model knows them; else empty.
  std::optional<size_t>
      scale_operand;  ///< Index in Region::inputs of a tensor [N, C, 1, 1] to multiply with.
  bool any() const { return !scale.empty() || scale_operand.has_value(); }
};

/// A BatchNormalization of the region's tensor [N, C, H, W], or its product or sum with one number for each
/// channel, and the tensor; nullopt for other nodes.
std::optional<std::pair<ChannelScale, ValueId>> channel_operation(const Region& region, const Node& node);

/// The bounds of a Relu or Clip whose bounds are constants; nullopt for other nodes.
std::optional<std::pair<float, float>> clamp_bounds(const Graph& graph, const Node& node);

/// A region of element-wise nodes alone.
struct FusedMap {
  size_t input = 0;  ///< Index in Region::inputs of the tensor that it begins with, of the output's shape.
  ChannelScale channels;
  FusedTail tail;
};
std::optional<FusedMap> fused_map(const Region& region);

/// The index of the first node of the tail: the one after the anchor and what kernels fold into the anchor's
/// constants, a bias after MatMul and what folded_channel_norm finds.
size_t tail_begin(const Region& region);

/// The operands of a call, in the order that the micro-operations number them; an error when one has another
/// shape than the output.
Result<kernels::Operands> tail_operands(const FusedTail& tail, KernelContext& context, const Shape& output);

}  // namespace tenon::ops
