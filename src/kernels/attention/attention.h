// Scaled dot-product attention of float32: softmax((Q * q_scale) (K * k_scale)^T * scale + added) V, a block
// of queries of one head at a time, so that the scores stay in the caches.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "base/cpu.h"
#include "kernels/services.h"

namespace tenon::kernels {

/// Where a head of one sequence finds its rows: row i of q begins at q + i * q_row, and so on
/// (AttentionCall). The elements of a row lie together. Null: none.
struct AttentionHead {
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  float* out = nullptr;
  /// What is added to the scores of query i: rows of a number for each key.
  std::array<const float*, 2> added = {};
  /// The same of AttentionCall::mask_width numbers, or bytes that allow a key (not 0) or forbid it. Rows lie
  /// AttentionCall::mask_row apart.
  const float* mask = nullptr;
  const uint8_t* allowed = nullptr;
};

struct AttentionCall {
  std::span<const AttentionHead> heads;
  int64_t q_length = 0, kv_length = 0, head_size = 0, v_head_size = 0;
  int64_t q_row = 0, k_row = 0, v_row = 0, out_row = 0, mask_row = 0;
  std::array<int64_t, 2> added_row = {};
  float q_scale = 1, k_scale = 1, scale = 1;  ///< Each product is rounded.
  /// Keys that a row of the mask has: as many as there are, 1 for all alike, or fewer: the others are
  /// forbidden.
  int64_t mask_width = 1;
  /// Query i sees keys from i - left to i + right.
  int64_t left = std::numeric_limits<int32_t>::max(), right = std::numeric_limits<int32_t>::max();
};

/// A query that sees no key gets zeros. The output overlaps nothing. Sums are those of run_tile.
void attention(const AttentionCall& call, Isa isa, const Services& services);

}  // namespace tenon::kernels
