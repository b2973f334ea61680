// Scaled dot-product attention of float32: softmax(Q K^T * scale + bias) V, a block of queries of one head at
// a time, so that the scores never leave the second cache.
#pragma once

#include <cstdint>
#include <limits>

#include "base/cpu.h"
#include "base/function_ref.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// Rows of all heads of a batch: row i of head h of batch b begins at data + b * batch + h * head + i * row.
/// Strides count floats; the elements of a row lie together.
template <class T>
struct HeadRows {
  T* data = nullptr;
  int64_t batch = 0, head = 0, row = 0;

  T* at(int64_t b, int64_t h, int64_t i) const { return data + b * batch + h * head + i * row; }
};

/// What is added to the scores of row i of query head h: a row of floats, or of bytes that allow a key (not
/// 0) or forbid it.
struct AttentionMask {
  HeadRows<const float> floats;
  HeadRows<const uint8_t> allowed;
  /// Keys that a row of it has: as many as there are, 1 for all alike, or fewer: the others are forbidden.
  int64_t width = 1;
};

struct AttentionCall {
  int64_t batch = 0, q_heads = 0, kv_heads = 0;  ///< Query heads are a multiple, and share them in order.
  int64_t q_length = 0, kv_length = 0, head_size = 0, v_head_size = 0;
  HeadRows<const float> q, k, v;
  HeadRows<float> out;
  float scale = 1;
  AttentionMask mask;  ///< Without data: none.
  /// Query i sees keys from i - left to i + right.
  int64_t left = std::numeric_limits<int32_t>::max(), right = std::numeric_limits<int32_t>::max();
};

/// A query that sees no key gets zeros. The output overlaps nothing. Sums are those of gemm.
void attention(const AttentionCall& call, Isa isa, const Services& services);

}  // namespace tenon::kernels
