// Attention: what its shape rule, reference and versions share.
#pragma once

#include <span>

#include "ops/core/versions.h"
#include "tensor/sym_int.h"

namespace tenon::ops {

/// Sizes of an Attention node, from the shapes of Q, K and V (and past_key).
struct AttentionSizes {
  bool flat;  ///< Q, K and V have rank 3: heads and head size share the last axis.
  SymInt batch, q_heads, kv_heads, q_length, kv_length, head_size, v_head_size;
  SymInt past_length;   ///< 0 without past_key.
  SymInt total_length;  ///< past_length + kv_length
};
Result<AttentionSizes> attention_sizes(const Attributes& attributes, std::span<const SymInt> q,
                                       std::span<const SymInt> k, std::span<const SymInt> v,
                                       const SymShape* past_key);

/// Below opset 23 (24 with nonpad_kv_seqlen, 25 with windows) writes the parts that Attention stands for.
Status emit_attention(EmitContext& context);

}  // namespace tenon::ops
